#!/bin/sh
# Installs the servers and programs that the tests start themselves. Only what is missing, only as root on Debian;
# elsewhere it says what would be skipped and how to install it. No system service is started.
set -eu

# What proves presence | the package that brings it
needs='
/usr/lib/postgresql/*/bin/initdb|postgresql
redis-server|redis-server
dockerd|docker.io
busybox|busybox-static
chromium|chromium
/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf|fonts-dejavu-core
ip|iproute2
strace|strace
'

is_present() {
  case $1 in
    # An unmatched pattern stays itself, and is no file.
    /*) for file in $1; do [ -e "$file" ] && return 0; done; return 1 ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 ;;
  esac
}

missing=
for row in $needs; do
  is_present "${row%|*}" || missing="$missing ${row#*|}"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Not installed:$missing. The tests that start them are skipped; on Debian and Ubuntu this installs them:"
  echo "  apt-get install --no-install-recommends$missing"
  exit 0
fi

echo "installing$missing"
# Debian starts what it installs, unless this file says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
fi
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
wait_for_lock='-o DPkg::Lock::Timeout=300'
# shellcheck disable=SC2086 # both are lists of words
if ! { apt-get $wait_for_lock -qq update && apt-get $wait_for_lock -qq install -y --no-install-recommends $missing; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "Could not install$missing: the tests that start them are skipped." >&2
fi
rm -f "$log"

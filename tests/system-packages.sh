#!/bin/sh
# Installs the Debian packages of tests/servers/packages.txt that are missing, as root; for anyone else it says how.
# No system service is started: the tests start private servers themselves.
set -eu
list=$(dirname "$0")/servers/packages.txt

missing=
while read -r package; do
  case $(dpkg-query --show --showformat '${Status}' "$package" 2>/dev/null || true) in
    *' installed') ;;
    *) missing="$missing $package" ;;
  esac
done <"$list"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "Tests whose server or program is not here are skipped, each with its reason. On Debian this installs them all:"
  echo "  sudo apt-get install --no-install-recommends$missing"
  exit 0
fi

echo "installing$missing"
log=$(mktemp)
# Debian starts a service that it installs, unless this file says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
fi
apt() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1; }
# shellcheck disable=SC2086 # a list of words
if ! { apt update && apt install -y --no-install-recommends $missing; }; then
  tail -n 20 "$log" >&2
  echo "Not installed:$missing. The tests that need them are skipped." >&2
fi
rm -f "$log"

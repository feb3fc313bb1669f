"""Platform packages of npm: one program, packed once for each platform.

``@esbuild/linux-x64`` on the server and ``@esbuild/darwin-arm64`` on a laptop are one dependency on two
machines: the platform is an attribute, not identity. Such a package is named with the word ``platform`` in
its place: ``@esbuild/platform``, ``@rollup/rollup-platform``.
"""

import re
from typing import Final

_SYSTEMS: Final = (
    "aix|android|darwin|freebsd|linux|linuxmusl|macos|netbsd|openbsd|openharmony|sunos|wasi|win32|windows"
)
_PROCESSORS: Final = (
    "32|64|aarch64|amd64|arm|arm64|armv6|armv7|ia32|loong64|mips64el|ppc64|ppc64le|riscv64|s390x|universal|x64"
    "|x86|x86_64"
)
_ABIS: Final = "eabi|glibc|gnu|gnueabihf|msvc|musl|musleabihf"
_SUFFIX: Final = re.compile(
    rf"(?P<stem>(?:@[^/]+/)?(?:[^/]+-)?)(?P<platform>(?:{_SYSTEMS})-(?:{_PROCESSORS})(?:-(?:{_ABIS}))?)"
)


def split_platform(name: str) -> tuple[str, str | None]:
    """Return (name of the package for all platforms, platform), or the name itself and None."""
    match = _SUFFIX.fullmatch(name)
    if match is None or not match["stem"]:
        return name, None
    return f"{match['stem']}platform", match["platform"]

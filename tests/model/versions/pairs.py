"""Pairs of versions to ask an oracle about: made up so that they often tie, and real ones."""

import random

Pair = tuple[str, str]

#: A version is one choice for each part, in turn; a part that may be missing begins with a space.
_PARTS = {
    "pypi": [
        " v 1! v1!",
        "0 1 1.0 1.0.0 1.10 1.9 1.0.1 2024.2",
        " a1 b2 rc1 -RC.1 _alpha_ .pre2",
        " .post1 -1 .post2 .rev",
        " .dev0 .dev3 -DEV",
        " +ubuntu.1 +ubuntu-1 +2 +2.ubuntu",
    ],
    "npm": [
        " v =v",
        "0.0.0 1.2.3 1.10.0 1.9.0 01.2.3 1.2 9007199254740992.0.0",
        " -0 -1 -01 -10 -rc -rc.1 -rc.10 -rc.x -alpha-1 -A",
        " +b +1.x",
    ],
    "cargo": [
        "0.0.0 0.1.0 1.2.3 1.10.0 1.9.0 01.2.3 1.2",
        " -0 -1 -01 -10 -rc -rc.1 -rc.10 -rc.x -alpha.1 -A --",
        " +b +1.x +zstd.1.5.5",
    ],
    "golang": [
        "v0 v1 v1.2 v1.2.0 v1.2.3 v1.10.0 v1.9.0 v0.0.0 v01.2.3",
        (
            " -0.20240510120000-1a2b3c4d5e6f -20240510120000-1a2b3c4d5e6f"
            " -rc.1.0.20240510120000-ab2b3c4d5e6f -rc.1 -rc.10 -alpha -01"
        ),
        " +incompatible +meta",
    ],
    "deb": [
        " 0: 1:",
        "1 1.0 1.0.0 1.10 1.9 1.09 1.",
        " a a0 ~rc1 ~ ~~a +dfsg +dfsg~1 -rc1 .Z",
        " -0 -1 -1~deb12u1 -1+b1 -1ubuntu0.22.04.1",
    ],
    "rpm": [
        " 0: 1: 10:",
        "1 1.0 1.0.0 1.10 1.9 1.09 1_0 a 1.0a 1.a 1. 20240101git 1..0",
        " ~rc1 ~rc2 ~ ~~ ^ ^git1 ^20240101 ~rc1^git1 ^git1~pre b .Z +b",
        " -0 -1 -1.el9 -1.el9_4 -10.el9 -1.fc40 -1~bpo -1^1 -0.1.rc1",
    ],
    "apk": [
        "0 1 1.0 1.0.0 1.05 1.5 1.10 1.9 1.00 01.5",
        " a b ab .a",
        " _alpha _alpha1 _beta2 _pre _rc1 _rc10 _p1 _p _git20240101 _rc1_p1 _x",
        " ~ab12 ~ab13 ~xy",
        " -r0 -r1 -r10 -r00 -1",
    ],
    "gem": [
        "0 1 1.0 1.0.0 1.10 1.9 1.0.1 1.00 1.0.0.0.1",
        " .a .a.0 .a.0.b .a.b .0.a .b1 .b.1 .rc1 .rc10 .pre -1 -rc b -",
        " .0 .1 .0.0 .0.1 .A .a .0.a .",
    ],
    # Behind zeros Maven before 3.9 reads a word after a dot otherwise: those stand in `maven, dots`.
    "maven": [
        "0 1 1.0 1.0.0 1.1 1.10 1.9 0.0 1.01 20040616",
        (
            " -alpha -alpha-1 -alpha1 -a1 a1 -beta2 -m3 -milestone-3 -rc1 -cr1 -RC -snapshot -sp"
            " -sp-1 -1 -2 -b03 -jre -android x -x -redhat-1 -redhat-00002 _2 +8 -a -1.2 --1 -alpha.1"
        ),
        " -SNAPSHOT -1 -2 -20240510.120000-1 .1 .10 - .",
    ],
    # A stage behind a word that says nothing (`1-final-alpha`) has no order in Maven: test_packages.py.
    "maven, releases": [
        "1 1.0 1.0.0 1.1 1.10 2.0-1 0",
        " -ga -final -release -Final -1 -sp",
        " -redhat-1 -redhat-2 -1 -jre -final -",
    ],
    "maven, dots": [
        "1.0.1 1.0.2 1.2.0 1.10.0 2.0.0 0.1.0",
        (
            " .alpha1 .Beta1 .Beta2 .M1 .M10 .CR1 .RC1 .RC2 .Final .GA .RELEASE .v20210927 .v20220101"
            " .SP1 .SEC01 .RELEASE-1"
        ),
    ],
    "composer": [
        " v V",
        "1 1.0 1.0.0 1.0.0.0 1.10 1.9 1.0.1 2024.01.05 20240105 2024-01-05 123456",
        " -alpha -a1 -beta2 b2 -beta.2 -RC1 RC -rc.10 -patch1 -p -pl2 -stable -dev -x _beta1.2 .",
        " -dev dev +build +1.2",
    ],
    "nuget": [
        "1 1.0 1.0.0 1.0.0.0 1.0.0.1 1.10 1.9 1.01 1.0.0.0.0 4294967296.0",
        " -alpha -Alpha -alpha.1 -alpha.10 -alpha.01 -beta -1 -rc1 -99999999999",
        " +build +Build.1",
    ],
}
PARTS = {kind: [part.split(" ") for part in parts] for kind, parts in _PARTS.items()}


def made_up(kind: str, count: int, *, seed: int = 1) -> list[Pair]:
    """Return pairs of which every other one differs in one part at most."""
    choose = random.Random(f"{kind} {seed}")
    parts = PARTS[kind]
    pairs: list[Pair] = []
    for number in range(count):
        left = [choose.choice(part) for part in parts]
        right = [choose.choice(part) for part in parts]
        if number % 2:
            one = choose.randrange(len(parts))
            right = [*left[:one], right[one], *left[one + 1 :]]
        pairs.append(("".join(left), "".join(right)))
    return pairs


def kinds_of(scheme: str) -> list[str]:
    """Return the kinds of made-up versions that an ecosystem has."""
    return [kind for kind in PARTS if kind.partition(",")[0] == scheme]

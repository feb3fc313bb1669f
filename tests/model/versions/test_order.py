"""Rules that hold for every ecosystem: a total order on what it accepts, and no word on the rest."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.model.versions import Step, step

NUMBER = st.sampled_from(["0", "1", "2", "9", "10", "11"])
NUMBERS = st.lists(NUMBER, min_size=1, max_size=4).map(".".join)
THREE_NUMBERS = st.lists(NUMBER, min_size=3, max_size=3).map(".".join)


def written(*parts: st.SearchStrategy[str] | list[str]) -> st.SearchStrategy[str]:
    """Texts made of one choice for each part, in turn."""
    choices = [st.sampled_from(part) if isinstance(part, list) else part for part in parts]
    return st.tuples(*choices).map("".join)


VERSIONS = {
    "pypi": written(["", "1!"], NUMBERS, ["", "a1", "rc2"], ["", ".post1"], ["", ".dev3"], ["", "+local.1"]),
    "npm": written(["", "v"], THREE_NUMBERS, ["", "-1", "-rc", "-rc.1", "-rc.1.x"], ["", "+b1", "+b2"]),
    "deb": written(
        ["", "0:", "1:"],
        NUMBERS,
        ["", "a", "~rc1", "+dfsg", "~~", ".a0"],
        ["", "-0", "-1", "-1~bpo1", "-1+b1"],
    ),
    "apk": written(
        NUMBERS, ["", ".05", "b"], ["", "_alpha", "_rc1", "_p1", "_pre_p"], ["", "~ab"], ["", "-r1"]
    ),
    "cargo": written(THREE_NUMBERS, ["", "-1", "-rc", "-rc.1", "-rc.1.x"], ["", "+b1"]),
    "golang": written(
        ["v"], THREE_NUMBERS, ["", "-0.2024-ab", "-rc.1", "-rc.1.0.2024-ab"], ["", "+incompatible"]
    ),
    "rpm": written(
        ["", "0:", "1:"],
        NUMBERS,
        ["", "a", ".a", "_1", "~", "~rc1", "^", "^git1", "~rc1^a", "^a~b"],
        ["", "-0", "-1", "-1.el9", "-1~a", "-1^a"],
    ),
    "gem": written(NUMBERS, ["", ".a", ".0.a", ".b1", "-rc"], ["", ".0", ".0.0.b", ".1", ".0.1", ".B"]),
    "maven": written(
        NUMBERS,
        [
            "",
            "-alpha",
            "a1",
            ".M1",
            "-rc-1",
            ".RC1",
            "-sp",
            ".SP1",
            "-jre",
            ".v20",
            "-1",
            "--1",
            "-ga",
            ".Final",
        ],
        ["", "-SNAPSHOT", "-1", "-redhat-2"],
    ).filter(lambda text: "-ga-S" not in text),
    "composer": written(
        ["", "v"],
        NUMBERS,
        ["", "-alpha", "-b1", "-beta.1", "-RC1", "-p", "-p1", "-stable"],
        ["", "-dev"],
        ["", "+b"],
    ),
    "hex": written(THREE_NUMBERS, ["", "-1", "-rc", "-rc.1"], ["", "+b1"]),
    "pub": written(THREE_NUMBERS, ["", "-1", "-rc", "-rc.1"], ["", "+b1", "+2", "+10", "+b.2"]),
    "conda": written(["", "1!"], NUMBERS, ["", "a1", ".rc1", "dev1", ".post1", "post1", "_p"], ["", "+1"]),
    "nuget": written(NUMBERS, ["", "-1", "-rc", "-RC.1", "-rc.1.x", "-99999999999"], ["", "+b1"]),
}
#: Tags and banners have no reference: what they accept is every number with a pre-release word.
READ = VERSIONS | {
    "oci": written(THREE_NUMBERS, ["", "rc1", "-rc.2", "-alpine", "-r3", "-1a2b3c4"]),
    "server": written(NUMBERS, ["", "beta1", "rc2", " (Debian 1)", "-log", "-28", "-limitless"]),
}
MIRRORED = {"left_ahead": "right_ahead", "right_ahead": "left_ahead", "unordered": "unordered"}

of_each_ecosystem = pytest.mark.parametrize("scheme", list(READ))


def sign(found: Step | None) -> int:
    return 0 if found is None else {"left_ahead": 1, "right_ahead": -1, "unordered": 0}[found.direction]


@of_each_ecosystem
@given(data=st.data())
def test_a_version_is_no_step_from_itself(scheme: str, data: st.DataObject) -> None:
    version = data.draw(READ[scheme])
    assert step(scheme, version, version) is None
    assert step(scheme, version, f" {version} ") is None


@of_each_ecosystem
@given(data=st.data())
def test_swapping_the_sides_mirrors_the_direction_and_nothing_else(scheme: str, data: st.DataObject) -> None:
    left, right = data.draw(READ[scheme]), data.draw(READ[scheme])
    there, back = step(scheme, left, right), step(scheme, right, left)
    if there is None or back is None:
        assert there is back
    else:
        assert (back.distance, back.direction) == (there.distance, MIRRORED[there.direction])


@of_each_ecosystem
@given(data=st.data())
def test_the_order_is_transitive(scheme: str, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(READ[scheme], min_size=3, max_size=3))
    for a, b, c in permutations(drawn):
        if sign(step(scheme, a, b)) > 0 and sign(step(scheme, b, c)) > 0:
            assert sign(step(scheme, a, c)) > 0


@pytest.mark.parametrize("scheme", list(VERSIONS))
@given(data=st.data())
def test_every_two_versions_that_an_ecosystem_accepts_have_a_distance(
    scheme: str, data: st.DataObject
) -> None:
    found = step(scheme, data.draw(VERSIONS[scheme]), data.draw(VERSIONS[scheme]))
    assert found is None or found.distance is not None


@pytest.mark.parametrize("scheme", [*READ, "generic", "opaque", "unheard-of"])
@given(left=st.text(max_size=12) | st.from_regex(r"[0-9v.~+:_-]{1,12}"), right=st.text(max_size=12))
def test_no_text_is_an_error_and_the_same_text_is_no_step(scheme: str, left: str, right: str) -> None:
    assert step(scheme, left, left) is None
    found = step(scheme, left, right)
    assert found is None or (found.distance is None) <= (found.direction == "unordered")


@pytest.mark.parametrize("scheme", list(READ))
@pytest.mark.parametrize(
    "text",
    [
        "1" * 5000,  # Python itself refuses such a number
        "1." * 2500 + "1",
        "1~" * 2500,
        "9" * 5000 + ":1.0",
        "1.0\n2.0",
        "1.0\x002.0",
        "1.0-rc" + "1" * 10_000,
        "1.0-" + "a." * 5000 + "a",
        "-" * 10_000,
        # As long as is read at all: each pattern finds its end in few steps.
        "1.0-rc" + "1" * 249 + "!",
        "1." * 127 + "!",
        "1-a" * 85 + "!",
        "١.٢.٣",  # digits, but of no ecosystem
        "",
    ],
)
def test_an_impossible_version_is_opaque(scheme: str, text: str) -> None:
    assert step(scheme, text, text) is None
    if scheme == "server" and text.startswith("1"):
        return  # of a banner the beginning is its version
    assert step(scheme, text, "1.2.3") == Step(distance=None, direction="unordered")

"""A release that leads, an image that was rebuilt, a commit of another branch: one cause, one verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from detector.engine.policy import Pair
from detector.engine.rules import Match, Outcome, Rule
from detector.model.records import Interval
from tests.builders import (
    DEV,
    DEV_TO_STAGING,
    PROD,
    ago,
    compare,
    drifts,
    interval,
    keys,
    only,
    section,
    told,
)

URLLIB3 = "pkg:pypi/urllib3"
TAG = ("main", "release", "image#tag")
COMMIT = ("main", "codebase", "repo#commit")
OLD, NEW = "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "9daeafb9864cf43055ae93beb0afd6c7d144bfa4"
FEATURE = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


def release(tag: str, *, config: Mapping[str, Any] | None = None, head: str = "5f0c", **packages: str) -> Any:
    return {
        "release": section({"image#repository": "acme/shop", "image#tag": tag}),
        "dependencies": section({f"pkg:pypi/{name}": version for name, version in packages.items()}),
        "config": section(config or keys(A="some text")),
        "admin": section({"migration/alembic": head}),
    }


def leading(days: float) -> dict[Any, Sequence[Interval]]:
    """Return a history in which staging has 1.5.0 for some days."""
    return {
        ("staging", TAG): [interval("1.4.0", ago(days=60), ago(days=days)), interval("1.5.0", ago(days=days))]
    }


def test_w8_a_new_key_comes_with_its_release_and_is_due() -> None:
    """Staging has release 1.5.0, which reads STRIPE_WEBHOOK_SECRET; prod is on 1.4.0, within the lead."""
    new = keys(A="some text", STRIPE_WEBHOOK_SECRET="a secret")
    found = compare(release("1.5.0", config=new), release("1.4.0"), histories=leading(2))
    key = only(found, "STRIPE_WEBHOOK_SECRET")
    assert (key.verdict, key.due) == ("expected", True)
    # When the release should have arrived, so should its key.
    late = only(compare(release("1.5.0", config=new), release("1.4.0"), histories=leading(8)), key.key.item)
    assert (late.verdict, late.severity, late.due) == ("drift", "high", False)


def test_w8_without_its_release_the_key_would_alarm_at_once() -> None:
    """The same key, where nobody knows of any release."""
    new = keys(A="some text", STRIPE_WEBHOOK_SECRET="a secret")
    assert drifts(compare({"config": section(new)}, {"config": section(keys(A="some text"))})) == {
        "STRIPE_WEBHOOK_SECRET": "high"
    }


def test_w9_a_package_pinned_down_by_the_leading_release_goes_its_way() -> None:
    """Release 1.5.0 pins urllib3 down, since 2.3 had a bug."""
    found = compare(
        release("1.5.0", urllib3="2.2.3"), release("1.4.0", urllib3="2.3.0"), histories=leading(2)
    )
    one = only(found, URLLIB3)
    assert (one.verdict, one.direction, one.cause) == ("expected", "left_ahead", found.causes[0].id)


def test_w9_alone_it_would_be_a_fix_never_brought_back() -> None:
    """The same two versions, where nobody knows of any release: production is ahead."""

    def packages(version: str) -> Any:
        return {"dependencies": section({URLLIB3: version})}

    assert drifts(compare(packages("2.2.3"), packages("2.3.0"))) == {URLLIB3: "medium"}


@pytest.mark.parametrize(("days", "verdict"), [(2, "expected"), (8, "drift")])
def test_w10_the_head_of_a_schema_follows_the_lead_of_its_release(days: int, verdict: str) -> None:
    """Staging migrated with release 1.5.0; Alembic's heads are hashes without any order."""
    found = compare(release("1.5.0", head="9be1"), release("1.4.0"), histories=leading(days))
    assert only(found, "migration/alembic").verdict == verdict


def test_w10_a_schema_goes_before_its_code_and_never_behind_it() -> None:
    """Deployed by expand and contract: the database is migrated an hour before the code that needs it."""

    def database(head: str) -> Any:
        item = "migration/django"
        return {"admin": section({item: head}, hints={item: {"expected_by": "0042_b"}})}

    assert drifts(compare(database("0043_c"), database("0043_c"))) == {}
    behind = compare(database("0042_b"), database("0041_a"))
    assert ("migration/django", "schema_behind", "drift", "high") in told(behind)


def test_w10_without_what_the_code_expects_a_head_alone_says_little() -> None:
    """Two hashes: they differ, and which of them is later nobody can tell."""

    def database(head: str) -> Any:
        return {"admin": section({"migration/alembic": head})}

    found = compare(database("9be1"), database("5f0c"))
    assert told(found) == [("migration/alembic", "difference", "drift", "info")]
    assert only(found, "migration/alembic").direction == "unordered"


# -- images -----------------------------------------------------------------------------------------------


def image(digest: str, *, openssl: str, django: str = "5.2.8", listed: bool = True) -> Any:
    named = {"image#repository": "acme/shop", "image#tag": "1.4.2", "image#digest": digest}
    packages = {
        "pkg:deb/debian/openssl": openssl,
        "pkg:deb/debian/zlib1g": "1.3-1",
        "pkg:pypi/django": django,
    }
    return {"release": section(named), **({"dependencies": section(packages)} if listed else {})}


OPENSSL_OLD, OPENSSL_NEW = "3.0.15-1~deb12u1", "3.0.16-1~deb12u1"


@pytest.mark.parametrize(("days", "verdict"), [(1, "expected"), (8, "drift")])
def test_w11_a_nightly_rebuild_on_a_newer_base_is_a_lead_of_a_week(days: int, verdict: str) -> None:
    """A bot rebuilds tag 1.4.2 each night: staging has tonight's, prod an older one."""
    place = ("main", "release", "image#digest")
    histories = {("staging", place): [interval("d2", ago(days=days))]}
    sides = image("d2", openssl=OPENSSL_NEW), image("d1", openssl=OPENSSL_OLD)
    found = compare(*sides, histories=histories)
    one = only(found, "image#digest", kind="rebuilt")
    assert (one.verdict, one.severity) == (verdict, "low")
    (cause,) = found.causes
    assert (cause.kind, [key.item for key in cause.children]) == ("rebuilt", ["pkg:deb/debian/openssl"])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        # The application changed under the same tag.
        (image("d2", openssl=OPENSSL_NEW, django="5.2.9"), image("d1", openssl=OPENSSL_OLD)),
        # Production has the newer one.
        (image("d1", openssl=OPENSSL_OLD), image("d2", openssl=OPENSSL_NEW)),
        # No patch: another series of OpenSSL.
        (image("d2", openssl="3.5.1-1"), image("d1", openssl=OPENSSL_OLD)),
        # Nothing differs that anybody lists: what then?
        (image("d2", openssl=OPENSSL_OLD), image("d1", openssl=OPENSSL_OLD)),
        (image("d2", openssl="", listed=False), image("d1", openssl="", listed=False)),
    ],
)
def test_w11_any_other_rebuild_is_high(left: Any, right: Any) -> None:
    """Same tag, other content, and not for a newer base alone."""
    one = only(compare(left, right), "image#digest", kind="rebuilt")
    assert (one.verdict, one.severity) == ("drift", "high")


def test_w11_without_the_exception_it_would_be_high_each_day() -> None:
    """The nightly rebuild again, judged as every rebuild is."""
    naive = Rule(
        name="naive",
        match=Match(kind=("rebuilt",)),
        outcome=Outcome(severity={"*": "high"}, allow_ahead=None),
    )
    found = compare(image("d2", openssl=OPENSSL_NEW), image("d1", openssl=OPENSSL_OLD), rules=[naive])
    assert only(found, "image#digest", kind="rebuilt").severity == "high"


# -- commits ----------------------------------------------------------------------------------------------


def code(commit: str, **hints: str) -> Any:
    return {"codebase": section({"repo#commit": commit}, hints={"repo#commit": hints} if hints else {})}


def test_w15_a_feature_branch_in_dev_is_information() -> None:
    """A feature branch is deployed to dev: its commit is not on the main line."""
    branch = code(FEATURE, ancestry="diverged")
    found = compare(branch, code(OLD), pair=DEV_TO_STAGING)
    assert told(found) == [("repo#commit", "difference", "drift", "info")]
    # In staging it is what people test, and no release.
    assert drifts(compare(branch, code(OLD))) == {"repo#commit": "medium"}


def test_w15_without_its_ancestry_a_feature_branch_in_staging_would_have_the_time_of_a_release() -> None:
    """The same branch in staging, taken for what production will get next."""
    histories = {("staging", COMMIT): [interval(FEATURE, ago(days=1))]}
    found = compare(code(FEATURE), code(OLD), histories=histories)
    assert only(found, "repo#commit").verdict == "expected"


@pytest.mark.parametrize("pair", [DEV_TO_STAGING, Pair(left=DEV, right=PROD)])
def test_w15_without_the_repository_another_commit_in_dev_is_normal(pair: Pair) -> None:
    """Nobody can order two commits without their repository; people work in dev."""
    (line,) = told(compare(code(NEW), code(OLD), pair=pair))
    assert line == ("repo#commit", "difference", "expected", "info")


@pytest.mark.parametrize(("days", "verdict"), [(6, "expected"), (8, "drift")])
def test_w15_elsewhere_it_has_the_budget_of_a_lead_since_it_was_seen(days: int, verdict: str) -> None:
    """Neither can anybody in staging: the clock runs since the commit was first seen there."""
    histories = {("staging", COMMIT): [interval(NEW, ago(days=days))]}
    one = only(compare(code(NEW), code(OLD), histories=histories), "repo#commit")
    assert (one.direction, one.verdict) == ("unordered", verdict)


@pytest.mark.parametrize(
    ("left", "right", "direction", "verdict"),
    [
        (NEW, OLD, "left_ahead", "expected"),  # staging ran prod's before, and went on
        (OLD, NEW, "right_ahead", "drift"),  # prod did: a fix that never came back
    ],
)
def test_w15_what_ran_before_tells_who_is_ahead(left: str, right: str, direction: str, verdict: str) -> None:
    """Without the repository too, an environment that ran the other's commit before has gone on."""
    ahead = "staging" if direction == "left_ahead" else "prod"
    histories = {(ahead, COMMIT): [interval(OLD, ago(days=9), ago(days=1)), interval(NEW, ago(days=1))]}
    one = only(compare(code(left), code(right), histories=histories), "repo#commit")
    assert (one.direction, one.verdict) == (direction, verdict)


def test_w15_a_release_named_by_its_commit_leads_as_any_other() -> None:
    """Tags are commits: nothing in them says which is later, but staging ran prod's before."""
    histories = {
        ("staging", TAG): [interval(OLD[:12], ago(days=9), ago(days=1)), interval(NEW[:12], ago(days=1))]
    }
    new = keys(A="some text", STRIPE_KEY="a secret")
    sides = release(NEW[:12], config=new), release(OLD[:12])
    found = compare(*sides, histories=histories)
    assert (only(found, "image#tag").verdict, only(found, "STRIPE_KEY").due) == ("expected", True)
    # Without that history nobody knows, and the key is missing.
    assert only(compare(*sides), "STRIPE_KEY").severity == "high"

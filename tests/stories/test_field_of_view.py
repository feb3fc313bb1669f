"""What each side can see: two collectors that see different things have found no difference yet."""

from typing import Any

import pytest

from detector.engine.policy import Pair, Service
from detector.engine.rules import Match, Outcome, Rule
from detector.model.addresses import repository_url
from tests.builders import (
    DEV,
    PROD,
    STAGING_TO_PROD,
    compare,
    drifts,
    failed,
    keys,
    only,
    section,
    stream,
    told,
    whole,
)

DEV_TO_PROD = Pair(left=DEV, right=PROD)
OF_THE_IMAGE = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHON_VERSION": "3.13.1",
    "GPG_KEY": "7169605F62C751356D054A26A821E680E5FA6305",
}


def docker(source_class: Any = "image_default") -> Any:
    """Return the config of a container, which shows the ENV of its image beside its own keys."""
    own = keys(DJANGO_SETTINGS_MODULE="shop.settings", API_TOKEN="of staging")
    return stream(
        {"config": section({**own, **keys(OF_THE_IMAGE, source_class=source_class)})}, source="docker"
    )


def ecs(**unseen: str) -> Any:
    """Return the config of a task definition, which knows nothing of the image's ENV."""
    own = keys(DJANGO_SETTINGS_MODULE="shop.settings", API_TOKEN="of production")
    parts = list(unseen.items())
    return stream(
        {"config": section(own, sees=("literal", "secret_ref"), unseen=[("*", why) for _, why in parts])},
        source="ecs",
    )


def test_w2_the_env_of_an_image_is_not_missing_from_a_task_definition() -> None:
    """Staging is read by Docker and shows PATH, LANG, PYTHON_VERSION and GPG_KEY; ECS in prod does not."""
    assert told(compare(docker(), ecs())) == []


def test_w2_without_the_class_of_each_key_every_build_would_be_four_alarms() -> None:
    """The same container, when nobody says which of its keys came with the image."""
    # PATH is a platform's key by rule, the other three would be missing in production.
    named = ("GPG_KEY", "LANG", "PYTHON_VERSION")
    assert drifts(compare(docker("literal"), ecs())) == dict.fromkeys(named, "high")


def test_w3_the_gpg_key_of_the_official_python_image_is_nobodys_secret() -> None:
    """Both environments run on python:3.13; the key that signs its releases is the same in both."""
    assert told(compare(docker(), docker())) == [("API_TOKEN", "shared_secret", "drift", "high")]


def test_w3_a_gpg_key_that_somebody_wrote_down_is_public_too() -> None:
    """It stands in `.env`, so nothing says that it is the image's; its name does."""
    both: Any = {"config": section(keys(GPG_KEY="0D96DF4D4110E5C43FBFB17F2D347EA6AA65421D"))}
    assert told(compare(both, both)) == []


def test_w3_without_that_name_and_class_every_service_of_the_image_would_share_a_secret() -> None:
    """The same value, named as secrets are and taken for a literal; and where every `*_KEY` has to differ."""
    signer = {"SIGNING_SECRET_KEY": OF_THE_IMAGE["GPG_KEY"]}
    literal: Any = {"config": section(keys(signer))}
    default: Any = {"config": section(keys(signer, source_class="image_default"))}
    assert told(compare(literal, literal)) == [("SIGNING_SECRET_KEY", "shared_secret", "drift", "high")]
    assert told(compare(default, default)) == []
    naive = Rule(name="naive", match=Match(item=("*_KEY",)), outcome=Outcome(expect="differ"))
    assert "GPG_KEY" in drifts(compare(docker(), docker(), rules=[naive]))


def test_w4_the_tools_of_a_lockfile_are_not_missing_from_what_is_installed() -> None:
    """Dev is known by its lockfile, prod by the packages installed there."""
    lock = {"pkg:pypi/django": "5.2.8", "pkg:pypi/pytest": "9.2", "pkg:pypi/mypy": "2.4"}
    hints = {"pkg:pypi/pytest": {"scope": ["dev"]}}
    dev: Any = {"dependencies": section(lock, basis="declared", hints=hints)}
    prod: Any = {"dependencies": section({"pkg:pypi/django": "5.2.8", "pkg:pypi/gunicorn": "23.0"})}
    found = compare(dev, prod, pair=DEV_TO_PROD)
    assert told(found) == []
    assert found.not_compared == 3  # counted, and no items


def test_w4_versions_of_what_both_name_are_compared_all_the_same() -> None:
    """A lockfile and an installed package that disagree on a version are no matter of what is seen."""
    dev: Any = {"dependencies": section({"pkg:pypi/django": "4.2.26"}, basis="declared")}
    prod: Any = {"dependencies": section({"pkg:pypi/django": "5.2.8"})}
    assert drifts(compare(dev, prod, pair=DEV_TO_PROD)) == {"pkg:pypi/django": "high"}


def test_w4_on_one_basis_the_same_packages_would_be_missing() -> None:
    """The same lists, as if both were of what is installed: prod would lack a type checker."""
    dev: Any = {"dependencies": section({"pkg:pypi/django": "5.2.8", "pkg:pypi/mypy": "2.4"})}
    prod: Any = {"dependencies": section({"pkg:pypi/django": "5.2.8"})}
    (one,) = told(compare(dev, prod, pair=DEV_TO_PROD))
    assert one == ("pkg:pypi/mypy", "difference", "expected", "medium")


def test_w6_a_reference_that_may_not_be_read_makes_nothing_missing() -> None:
    """Prod takes more of its environment from a file in S3, which Parity may not read."""
    staging: Any = {"config": section(keys(A="some text", STRIPE_KEY="a secret"))}
    blind: Any = {
        "config": section(keys(A="some text"), sees=("literal", "secret_ref"), unseen=[("*", "not_in_view")])
    }
    one = only(compare(staging, blind), "STRIPE_KEY")
    assert (one.verdict, one.right.unknown) == ("unknown", "not_in_view")


def test_w6_without_the_reference_the_key_is_missing() -> None:
    """The same task definition, where nothing says that it takes more from elsewhere."""
    staging: Any = {"config": section(keys(A="some text", STRIPE_KEY="a secret"))}
    assert drifts(compare(staging, {"config": section(keys(A="some text"))})) == {"STRIPE_KEY": "high"}


def dev_of_forty_keys() -> Any:
    forty = {f"KEY_{number}": "some text" for number in range(40)}
    return stream({"config": section(keys(forty), basis="declared")}, source="dotenv")


def test_w5_config_from_a_place_that_parity_does_not_see_is_one_finding() -> None:
    """Dev has forty keys in `.env`; the service in prod reads its own from a parameter store at boot."""
    dev, prod = dev_of_forty_keys(), stream({"config": section(keys(PORT="8080"))}, source="ecs")
    found = compare(dev, prod, pair=DEV_TO_PROD, first=True)
    (cause,) = found.causes
    assert cause.title == "dev takes its config from dotenv, prod from ecs"
    assert len(cause.children) == 40
    assert {one.severity for one in found.items if one.verdict == "drift"} == {"medium"}
    assert whole(found, pair=DEV_TO_PROD).summary()["medium"] == 1


def test_w5_without_that_finding_forty_keys_would_be_missing_in_production() -> None:
    """The same two, where the config was of one source when they were first compared: then keys got lost."""
    dev, prod = dev_of_forty_keys(), stream({"config": section(keys(PORT="8080"))}, source="ecs")
    found = compare(dev, prod, pair=DEV_TO_PROD, first=False)
    assert drifts(found) == {f"KEY_{number}": "high" for number in range(40)}
    assert found.causes == ()


# -- one source of many services ---------------------------------------------------------------------------


def of_a_cluster(*, blind: bool, broken: bool = False, key: bool = True) -> Any:
    """What a source that lists a cluster says of one service: its image, and its config if it may be read."""
    release = section({"image#repository": "acme/shop", "image#tag": "1.4.2"})
    values = {"A": "some text", "STRIPE_KEY": "of this environment"} if key else {"A": "some text"}
    config = failed("denied") if blind else section(keys(values))
    return stream({"release": failed("denied") if broken else release, "config": config}, source="cluster")


def test_w7_what_may_not_be_read_in_one_namespace_is_unknown_there_alone() -> None:
    """One source lists a cluster. It may read the config of `search`, and not that of `billing`."""
    staging = of_a_cluster(blind=False)
    billing = compare(staging, of_a_cluster(blind=True))
    assert {one.key.item: one.right.unknown for one in billing.items} == {
        "A": "denied",
        "STRIPE_KEY": "denied",
    }
    assert {one.key.section for one in billing.items} == {"config"}  # its image is compared as ever
    # What the same look saw of the other service counts, and so does what is missing there.
    search = compare(staging, of_a_cluster(blind=False, key=False))
    assert told(search) == [("STRIPE_KEY", "difference", "drift", "high")]


def test_w7_with_one_status_for_the_whole_source_nothing_of_the_cluster_would_be_known() -> None:
    """The right that is missing in one namespace makes the whole look a failed one."""
    lacking = of_a_cluster(blind=True, broken=True, key=False)
    search = compare(of_a_cluster(blind=False), lacking)
    assert drifts(search) == {}
    assert {one.verdict for one in search.items} == {"unknown"}
    assert len(search.items) == 4


# -- components -------------------------------------------------------------------------------------------


def process(name: str, values: dict[str, str], **more: Any) -> Any:
    return stream({"config": section(keys(values))}, component=name, **more)


def test_w27_a_sidecar_of_production_is_its_own() -> None:
    """Prod runs the Datadog agent beside the service, with a key and an address of its own."""
    shop = {"DJANGO_SETTINGS_MODULE": "shop.settings"}
    agent = process("datadog", {"DD_API_KEY": "a secret", "DD_SITE": "datadoghq.eu"}, kind="sidecar")
    found = compare([process("web", shop)], [process("web", shop), agent])
    assert told(found) == [("sidecar", "difference", "drift", "info")]


def test_w27_as_part_of_the_service_its_keys_would_be_missing_in_staging() -> None:
    """The same keys, counted among those of the service."""
    shop = {"DJANGO_SETTINGS_MODULE": "shop.settings"}
    naive = {**shop, "DD_API_KEY": "a secret", "DD_SITE": "datadoghq.eu"}
    found = compare([process("web", shop)], [process("web", naive)])
    assert drifts(found) == {"DD_API_KEY": "medium", "DD_SITE": "medium"}


def test_w28_a_key_that_the_worker_lost_is_missing_though_the_web_has_it() -> None:
    """Web and worker are one service; in prod the worker was given its config without `STRIPE_KEY`."""
    key, none = {"STRIPE_KEY": "a secret", "A": "some text"}, {"A": "some text"}
    found = compare(
        [process("web", key), process("worker", key)], [process("web", key), process("worker", none)]
    )
    assert [(one.key.component, one.severity) for one in found.items if one.verdict == "drift"] == [
        ("worker", "high")
    ]


def test_w28_united_into_one_service_nobody_would_have_seen_it() -> None:
    """The same keys without the process that each belongs to: somebody has it, so it is there."""
    key, none = {"STRIPE_KEY": "a secret", "A": "some text"}, {"A": "some text"}
    union = [process("main", key, source="web"), process("main", none, source="worker")]
    assert told(compare([process("main", key)], union)) == []


# -- code and settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("git@github.com:acme/x.git", "https://github.com/acme/x"),
        ("https://oauth2:token@gitlab.com/Acme/X.git", "ssh://git@gitlab.com:22/acme/x"),
    ],
)
def test_w16_one_repository_under_two_addresses_is_the_same(one: str, other: str) -> None:
    """CI clones over SSH, the label of the image names the page that people look at."""
    sides: Any = [{"codebase": section({"repo#url": repository_url(url)})} for url in (one, other)]
    assert told(compare(*sides)) == []


GITHUB, MIRROR = "github.com/acme/x", "git.acme.example/mirrors/x"


def test_w16_a_mirror_that_the_file_names_is_the_same_repository() -> None:
    """Production is built from a mirror, so that it can be built while GitHub is away."""
    sides: Any = [{"codebase": section({"repo#url": url})} for url in (GITHUB, MIRROR)]
    shop = Service(name="shop", repositories=(GITHUB, MIRROR))
    assert told(compare(*sides, service=shop)) == []
    # A third address is no mirror of it, and unsaid none is.
    fork: Any = {"codebase": section({"repo#url": "github.com/somebody/x"})}
    assert drifts(compare(sides[0], fork, service=shop)) == {"repo#url": "critical"}
    assert drifts(compare(*sides)) == {"repo#url": "critical"}


def test_w16_by_the_text_of_its_address_it_would_be_another_repository() -> None:
    """The same two addresses as each tool wrote them."""
    addresses = "git@github.com:acme/x.git", "https://github.com/acme/x"
    naive: Any = [{"codebase": section({"repo#url": url})} for url in addresses]
    assert drifts(compare(*naive)) == {"repo#url": "critical"}


def server(**settings: Any) -> Any:
    named = {f"main#setting/{name}": value for name, value in settings.items()}
    return {"backing_services": section({"main#product": "postgresql", **named})}


SMALL = server(max_connections=100, shared_buffers="128MB", timezone="UTC")
BIG = server(max_connections=900, shared_buffers="8GB", timezone="Europe/Berlin")


def test_w39_a_bigger_server_is_no_drift_and_another_behaviour_is() -> None:
    """Production's database has more memory and more connections. It also keeps another time."""
    found = compare(SMALL, BIG)
    assert drifts(found) == {"main#setting/timezone": "medium"}
    sizes = [line for line in told(found) if line[0] != "main#setting/timezone"]
    assert {(verdict, severity) for _, _, verdict, severity in sizes} == {("expected", "info")}


def test_w39_where_every_setting_had_to_be_equal_size_would_be_drift() -> None:
    """The same two servers, by a rule that takes every setting for behaviour."""
    naive = Rule(
        name="naive",
        match=Match(item=("*#setting/*",)),
        outcome=Outcome(expect="equal", severity={"*": "medium"}),
    )
    assert drifts(compare(SMALL, BIG, rules=[naive])) == {
        "main#setting/max_connections": "medium",
        "main#setting/shared_buffers": "medium",
        "main#setting/timezone": "medium",
    }


def deployed(revision: str, built: str, digest: str, restarts: int) -> Any:
    named = {"release#id": revision, "release#built_at": built, "release#config_digest": digest}
    return {"release": section(named), "concurrency": section({"restarts": restarts})}


OF_STAGING = deployed("checkout:57", "2026-11-01T08:00:00Z", "b3", 0)
OF_PROD = deployed("checkout-prod:132", "2026-10-20T09:30:00Z", "9c", 4)


def test_w40_revisions_of_a_deployment_are_never_compared() -> None:
    """Each environment counts its own deployments, builds and restarts."""
    found = compare(OF_STAGING, OF_PROD)
    assert (told(found), found.items) == ([], ())


def test_w40_as_facts_like_any_other_they_would_differ_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same four facts, when none of them is marked as one environment's own."""
    monkeypatch.setattr("detector.engine.pairing.LOCAL", frozenset())
    found = compare(OF_STAGING, OF_PROD)
    assert {one.key.item for one in found.items} == {
        "release#id", "release#built_at", "release#config_digest", "restarts"
    }  # fmt: skip
    assert len(drifts(found)) == 3


# -- the quiet story --------------------------------------------------------------------------------------


def test_two_honest_environments_of_one_app_on_docker_and_on_ecs_have_nothing_to_say() -> None:
    """One app from an official-style image: staging on Docker, prod on ECS. Zero findings."""
    staging = stream(
        {
            "config": section(
                {
                    **keys(OF_THE_IMAGE, source_class="image_default"),
                    **keys(
                        DJANGO_SETTINGS_MODULE="shop.settings",
                        DATABASE_URL="postgres://shop:of-staging@db/shop",
                        SENTRY_DSN="https://public@o1.ingest.sentry.io/1",
                        SECRET_KEY="one of staging",
                    ),
                }
            ),
            "release": section(
                {
                    "image#repository": "acme/shop",
                    "image#tag": "1.4.2",
                    "image#id": "sha256:1d",
                    "image#digest": "sha256:aa",
                    "image#platform": "linux/amd64",
                    "release#built_at": "2026-11-01T08:00:00Z",
                },
                covers=(),  # what is not said of an image is not absent
            ),
            "dependencies": section(
                {"pkg:deb/debian/openssl": "3.0.15-1~deb12u1", "os#release": "12", "pkg:pypi/django": "5.2.8"}
            ),
            "processes": section({"command": ["gunicorn", "shop.wsgi"], "user": "app"}),
            "concurrency": section({"replicas": 1}),
            "logs": section({"driver": "json-file"}),
        },
        source="docker",
    )
    prod = stream(
        {
            "config": section(
                {
                    **keys(
                        DJANGO_SETTINGS_MODULE="shop.settings",
                        SENTRY_DSN="https://public@o1.ingest.sentry.io/1",
                    ),
                    **keys(
                        DATABASE_URL="postgres://shop:of-prod@shop.c1.eu-central-1.rds.amazonaws.com/shop",
                        SECRET_KEY="one of production",
                    ),
                },
                sees=("literal", "secret_ref"),
            ),
            "release": section(
                {
                    "image#repository": "acme/shop",
                    "image#tag": "1.4.2",
                    "image#digest": "sha256:aa",
                    "release#id": "shop-prod:132",
                    "release#config_digest": "b3",
                },
                covers=(),
            ),
            "concurrency": section({"replicas": 6}),
            "logs": section({"driver": "awslogs"}),
        },
        component="web",
        source="ecs",
    )
    found = compare(staging, prod, pair=STAGING_TO_PROD, first=True)
    assert {line[2] for line in told(found)} <= {"expected"}  # more replicas in production are meant
    assert drifts(found) == {}
    assert found.causes == ()
    assert found.not_measured == ("dependencies", "processes")
    assert found.compared > 5


def test_the_quiet_story_is_not_quiet_for_having_looked_away() -> None:
    """The same two sources, and one key that prod really lacks."""
    prod = keys(DJANGO_SETTINGS_MODULE="shop.settings")
    lacking = stream({"config": section(prod, sees=("literal", "secret_ref"))}, source="ecs", component="web")
    assert drifts(compare(docker(), lacking)) == {"API_TOKEN": "high"}

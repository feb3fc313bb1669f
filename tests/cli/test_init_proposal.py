"""What names say, and what is made of files: pure, so that every case is one row."""

import pytest

from detector.cli.init_names import place_of, service_name, service_named, tier_of
from detector.cli.init_proposal import File, Proposal, Source, propose


@pytest.mark.parametrize(
    ("path", "environment"),
    [
        (".env", None),
        (".env.local", "dev"),
        (".env.stage", "staging"),
        (".env.production", "prod"),
        (".env.PROD", "prod"),
        ("prod.env", "prod"),
        (".env.prod-eu", "prod-eu"),
        ("prod-us-east-1/.env", "prod-us-east-1"),
        (".env.non-prod", "nonprod"),
        (".env.uat", "uat"),
        ("compose.prod.yaml", "prod"),
        ("values-staging.yaml", "staging"),
        # What stands behind the word of an environment is not always a region.
        (".env.prod.api", "prod"),
        ("deploy/prod/.env.api", "prod"),
        (".envs/.production/.django", "prod"),
        # The file's own name is nearer than its folder's.
        ("staging/.env.prod", "prod"),
        # Words inside of words and folders that hold more than an environment.
        (".env.product", None),
        ("dev-tools/.env", None),
        ("prod-data/.env", None),
        ("live/.env", None),
    ],
)
def test_a_name_says_its_environment_by_whole_words(path: str, environment: str | None) -> None:
    assert place_of(path, of_settings=True).environment == environment


@pytest.mark.parametrize(
    ("path", "environment"),
    [
        # For developers, not of the environment dev.
        ("requirements-dev.txt", None),
        ("requirements/local.txt", None),
        ("requirements/production.txt", "prod"),
        ("staging.lock", "staging"),
        ("deploy/dev/api/uv.lock", "dev"),
    ],
)
def test_packages_for_developers_are_no_environment(path: str, environment: str | None) -> None:
    assert place_of(path, of_settings=False).environment == environment


@pytest.mark.parametrize("path", [".env.example", ".env.prod.sample", ".env.test", "compose.ci.yaml"])
def test_patterns_and_tests_are_of_no_environment(path: str) -> None:
    assert place_of(path, of_settings=True).none_because


@pytest.mark.parametrize(
    ("path", "folders"),
    [
        ("services/api/.env", ("api",)),
        ("deploy/prod/api/uv.lock", ("api",)),
        ("requirements/base.txt", ()),
        ("teams/shop/apps/web/.env", ("teams", "shop", "web")),
    ],
)
def test_folders_that_say_how_something_is_kept_name_no_service(path: str, folders: tuple[str, ...]) -> None:
    assert place_of(path, of_settings=True).folders == folders


@pytest.mark.parametrize(
    ("text", "name"), [("shop", "shop"), ("my shop!", "my-shop"), ("..", "app"), ("über", "ber"), ("", "app")]
)
def test_every_text_makes_a_name_of_a_service(text: str, name: str) -> None:
    assert service_name(text) == name


def test_the_longest_service_that_a_name_speaks_of_is_meant() -> None:
    assert service_named(("env", "api", "admin"), ["api", "api-admin", "web"]) == "api-admin"
    assert service_named(("env", "prod"), ["api"]) is None


def test_a_tier_is_known_by_the_first_word() -> None:
    assert [tier_of(name) for name in ("dev", "prod-eu", "uat", "qa", "blue")] == [
        "development",
        "production",
        "staging",
        "staging",
        "unknown",
    ]


def compose(path: str, *services: str) -> File:
    kinds = {name: "backing_service" if name == "db" else "app" for name in services}
    return File(path=path, type="compose", sections=frozenset({"config"}), services=kinds)  # type: ignore[arg-type]


def made(*files: File, several: tuple[str, ...] = ("compose", "dotenv"), git: bool = False) -> Proposal:
    return propose(files, project="shop", several=several, code=(), git=git)


def test_a_file_of_an_environment_is_a_layer_upon_the_one_beside_it() -> None:
    found = made(
        compose("compose.yaml", "api", "db"),
        compose("compose.override.yaml", "api"),
        compose("compose.prod.yaml", "api", "worker"),
    )
    assert found.environments == ("dev", "prod")
    api = found.services["api"].sources
    assert api == {
        "dev": [Source(type="compose", paths=("compose.yaml", "compose.override.yaml"), many=True)],
        "prod": [Source(type="compose", paths=("compose.yaml", "compose.prod.yaml"), many=True)],
    }
    assert found.services["db"].sources.keys() == {"dev", "prod"}
    # A service of one layer alone is there where that layer is.
    assert found.services["worker"].sources.keys() == {"prod"}
    assert found.services["db"].kind == "backing_service"


def test_where_layers_cannot_be_read_together_each_environment_has_its_own_file() -> None:
    found = made(compose("compose.yaml", "api"), compose("compose.prod.yaml", "api"), several=())
    assert found.services["api"].sources["prod"] == [Source(type="compose", paths=("compose.prod.yaml",))]


def test_files_of_several_folders_are_no_layers() -> None:
    found = made(compose("dev/compose.yaml", "api"), compose("prod/compose.yaml", "api"))
    assert found.services["api"].sources == {
        "dev": [Source(type="compose", paths=("dev/compose.yaml",))],
        "prod": [Source(type="compose", paths=("prod/compose.yaml",))],
    }


def settings(path: str) -> File:
    return File(path=path, type="dotenv", sections=frozenset({"config"}))


def test_a_file_beside_everything_is_of_the_only_app_or_of_the_project() -> None:
    one = made(compose("compose.yaml", "api", "db"), settings(".env"))
    assert one.taken[".env"] == ("dev", "api")
    two = made(compose("compose.yaml", "api", "web"), settings(".env"))
    assert two.taken[".env"] == ("dev", "shop")


def test_the_commit_is_of_what_lies_here_and_of_no_backing_service() -> None:
    files = compose("compose.yaml", "api", "db", "proxy"), settings("api/.env"), settings("api/.env.prod")
    found = made(*files, git=True)
    git = Source(type="git", paths=(".",))
    places = [
        (name, environment)
        for name, service in found.services.items()
        for environment, some in service.sources.items()
        if git in some
    ]
    assert places == [("api", "dev")]


def properties(path: str) -> File:
    return File(path=path, type="settings", sections=frozenset({"config"}))


def test_files_of_settings_count_where_an_environment_has_one_of_its_own() -> None:
    found = made(
        properties("api/src/main/resources/application.yml"),
        properties("api/src/main/resources/application-prod.yml"),
        properties("web/conf/staging.ini"),
        properties("tox.ini"),
        several=("settings",),
    )
    application = "api/src/main/resources/application.yml"
    assert found.services["api"].sources == {
        "dev": [Source(type="settings", paths=(application,))],
        "prod": [
            Source(type="settings", paths=(application, application.replace(".yml", "-prod.yml")), many=True)
        ],
    }
    assert found.services["web"].sources == {
        "staging": [Source(type="settings", paths=("web/conf/staging.ini",))]
    }
    assert found.left_out == (("tox.ini", "no environment has such a file of its own"),)
    assert found.taken[application] == ("dev, prod", "api")


def manifests(path: str, *services: str) -> File:
    kinds = dict.fromkeys(services, "app")
    return File(path=path, type="manifests", sections=frozenset({"config"}), services=kinds)  # type: ignore[arg-type]


def test_manifests_are_of_the_environment_of_their_folder_or_of_nobody_knows_which() -> None:
    found = made(
        manifests("k8s/prod", "api"), manifests("k8s/staging.yaml", "api"), manifests("deploy", "api")
    )
    assert found.services["api"].sources == {
        "prod": [Source(type="manifests", paths=("k8s/prod",))],
        "staging": [Source(type="manifests", paths=("k8s/staging.yaml",))],
    }
    assert found.left_out == (
        ("deploy", "no name says of which environment: give it to the one that runs it"),
    )

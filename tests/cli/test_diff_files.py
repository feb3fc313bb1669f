"""`parity diff` of files, with no server and no configuration."""

import base64
import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Parity, write
from tests.collectors.archives import file, saved, tar, tar_of
from tests.collectors.readers.programs import elf, inline
from tests.servers.packages import DebPackage, dpkg_status

PACKAGE_LOCK = {
    "name": "web",
    "lockfileVersion": 3,
    "packages": {"": {"name": "web"}, "node_modules/express": {"version": "4.21.2"}},
}
OBSERVATION = {
    "schema": "parity.observation/v1",
    "environment": "prod",
    "service": "api",
    "source": "ci",
    "observed_at": "2026-11-22T09:28:14Z",
    "sections": {
        "dependencies": {
            "basis": "declared",
            "status": "complete",
            "facts": {"pkg:pypi/django": "5.2.8"},
            "unseen": [],
        }
    },
}
COMPOSE = (
    "services:\n  api:\n    image: shop/api:{tag}\n    environment: {{MODE: x}}\n    env_file: {env_file}\n"
)


def test_a_program_is_known_by_its_first_bytes(parity: Parity, folder: Path) -> None:
    for name, version in (("old", "v1.0.0"), ("new", "v1.1.0")):
        (folder / name).write_bytes(elf(inline("go1.22.1", f"dep\ta.example/b\t{version}\n")))
    done = parity("diff", "./old", "binary:new")
    assert (done.code, "a.example/b v1.0.0 → v1.1.0" in done.out) == (1, True)
    write(folder, script="#!/bin/sh\n")
    assert "the name does not tell the format" in parity("diff", "./old", "./script").err
    assert "no program of ELF, PE or Mach-O" in parity("diff", "./old", "binary:script").why


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        (".env.staging", ".env.prod", "WEBHOOK_URL missing in .env.prod"),
        ("dotenv:settings", "dotenv:settings.prod", "WEBHOOK_URL missing in dotenv:settings.prod"),
        ("requirements.txt", "lockfile:prod.txt", "django 4.2.26 → 5.2.8"),
        ("old/package-lock.json", "web/package-lock.json", "express 4.20.0 → 4.21.2"),
        ("a/compose.yaml", "b/compose.yaml", "image#tag 1.4.2 → 1.4.3"),
        ("requirements.txt", "snapshot:observation.json", "django 4.2.26 → 5.2.8"),
        ("lockfile:one.txt", "lockfile:other.txt", "psycopg2 2.9.9 → psycopg2-binary 2.9.10"),
    ],
)
def test_each_type_of_file_is_compared(
    parity: Parity, folder: Path, left: str, right: str, said: str
) -> None:
    more, less = "KEY=1\nWEBHOOK_URL=https://a.example\n", "KEY=2\n"
    write(folder, __env__staging=more, __env__prod=less, settings=more, settings__prod=less)
    write(folder, requirements__txt="django==4.2.26\n", prod__txt="django==5.2.8\n")
    write(folder, one__txt="psycopg2==2.9.9\n", other__txt="psycopg2-binary==2.9.10\n")
    for name, version in (("web", "4.21.2"), ("old", "4.20.0")):
        (folder / name).mkdir()
        text = json.dumps(PACKAGE_LOCK).replace("4.21.2", version)
        (folder / name / "package-lock.json").write_text(text)
    for name, tag in (("a", "1.4.2"), ("b", "1.4.3")):
        (folder / name).mkdir()
        (folder / name / "compose.yaml").write_text(COMPOSE.format(tag=tag, env_file="keys"))
        (folder / name / "keys").write_text("A=1\n")
    (folder / "observation.json").write_text(json.dumps(OBSERVATION))
    answer = parity("diff", left, right, "--all")
    assert said in " ".join(answer.out.split())
    assert answer.code == 1


def test_what_is_installed_is_compared_with_what_is_locked(parity: Parity, folder: Path) -> None:
    info = folder / "venv" / "lib" / "python3.11" / "site-packages" / "django-5.2.8.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Django\nVersion: 5.2.8\n")
    write(folder, requirements__txt="django==4.2.26\n")
    answer = parity("diff", "requirements.txt", "python:venv")
    assert "django 4.2.26 → 5.2.8" in answer.out


def test_files_that_requirements_include_are_read_with_them(parity: Parity, folder: Path) -> None:
    write(folder, base__txt="django==4.2.26\n", prod__txt="django==5.2.8\n")
    (folder / "deploy").mkdir()
    (folder / "deploy" / "requirements.txt").write_text("-r ../base.txt\n")
    answer = parity("diff", "deploy/requirements.txt", "lockfile:prod.txt")
    assert "django 4.2.26 → 5.2.8" in " ".join(answer.out.split())
    (folder / "deploy" / "requirements.txt").write_text("-r ../../base.txt\n")
    answer = parity("diff", "deploy/requirements.txt", "lockfile:prod.txt")
    assert (answer.code, "missing in" in answer.out) == (3, False)
    assert "leads out of this folder" in " ".join(answer.out.split())


def test_two_folders_are_compared_by_what_is_installed_below_them(parity: Parity, folder: Path) -> None:
    for name, release, version in (("old", "12", "3.0.14-1"), ("new", "13", "3.5.1-1")):
        root = folder / name
        (root / "etc").mkdir(parents=True)
        (root / "etc" / "os-release").write_text(f"ID=debian\nVERSION_ID={release}\n")
        (root / "var" / "lib" / "dpkg").mkdir(parents=True)
        status = f"Package: openssl\nStatus: install ok installed\nVersion: {version}\n"
        (root / "var" / "lib" / "dpkg" / "status").write_text(status)
    answer = parity("diff", "installed:old", "installed:new")
    assert "debian 12 → debian 13" in answer.out
    assert "openssl" in answer.out
    assert answer.code == 1
    (folder / "empty").mkdir()
    answer = parity("diff", "installed:old", "installed:empty")
    assert (answer.code, "no packages of a kind that is known" in " ".join(answer.out.split())) == (3, True)


def bill_of(*purls: str) -> str:
    listed = [{"type": "library", "name": "a", "purl": purl} for purl in purls]
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": listed})


def test_bills_of_materials_are_compared_by_name_by_type_and_from_standard_input(
    parity: Parity, folder: Path
) -> None:
    staging = bill_of("pkg:pypi/django@4.2.26", "pkg:npm/debug@4.4.0")
    write(folder, staging__cdx__json=staging, prod__cdx__json=bill_of("pkg:pypi/django@5.2.8"), built=staging)
    payload = base64.b64encode(staging.encode()).decode()
    signed = json.dumps({"payloadType": "application/vnd.cyclonedx+json", "payload": payload})
    given = (("staging.cdx.json", ""), ("sbom:built", ""), ("-", staging), ("-", signed))
    for left, stdin in given:
        answer = parity("diff", left, "prod.cdx.json", stdin=stdin.encode())
        assert (answer.code, "django 4.2.26 → 5.2.8" in answer.out) == (1, True), left
        # The other bill says nothing of npm: its tool may not have looked.
        assert "debug" not in answer.out


def test_a_component_that_no_purl_names_is_unknown_and_not_missing(parity: Parity, folder: Path) -> None:
    unnamed = bill_of("pkg:npm/b@1").replace('"purl": "pkg:npm/b@1"', '"version": "1"')
    write(folder, staging__cdx__json=bill_of("pkg:npm/a@1", "pkg:npm/b@1"), prod__cdx__json=unnamed)
    answer = parity("diff", "staging.cdx.json", "prod.cdx.json")
    assert answer.code == 3
    assert "no package URL" in answer.out
    assert "missing" not in answer.out


def test_env_files_beside_a_compose_file_are_read_with_it(parity: Parity, folder: Path) -> None:
    for name, keys in (("staging", "A=1\nWEBHOOK_URL=x\n"), ("prod", "A=1\n")):
        (folder / name).mkdir()
        (folder / name / "compose.yaml").write_text(COMPOSE.format(tag="1.4.2", env_file="keys"))
        (folder / name / "keys").write_text(keys)
    answer = parity("diff", "staging/compose.yaml", "prod/compose.yaml")
    assert "WEBHOOK_URL missing in prod/compose.yaml" in answer.out
    assert answer.code == 1


@pytest.mark.parametrize("env_file", ["missing", "../../outside", "/etc/hostname"])
def test_an_env_file_that_cannot_be_read_leaves_keys_unknown(
    parity: Parity, folder: Path, env_file: str
) -> None:
    (folder.parent / "outside").write_text("A=1\n")
    for name, path in (("a", env_file), ("b", "keys")):
        (folder / name).mkdir()
        (folder / name / "compose.yaml").write_text(COMPOSE.format(tag="1.4.2", env_file=path))
    (folder / "b" / "keys").write_text("ONLY_HERE=1\n")
    answer = parity("diff", "a/compose.yaml", "b/compose.yaml")
    assert (answer.code, "missing in" in answer.out) == (3, False)
    assert f"env_file {env_file}" in " ".join(answer.out.split())


def test_a_warning_names_its_file_once(parity: Parity, folder: Path) -> None:
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "compose.yaml").write_text("services: {web: {image: x, environment: {A: '${B}'}}}\n")
    said = " ".join(parity("diff", "a/compose.yaml", "b/compose.yaml").out.split())
    assert "warning: a/compose.yaml: web: B is set nowhere that was read" in said


def test_one_service_of_compose_files(parity: Parity, folder: Path) -> None:
    for name, tag in (("a", "1"), ("b", "2")):
        (folder / name).mkdir()
        services = f"services:\n  api: {{image: 'shop/api:{tag}'}}\n  web: {{image: 'shop/web:{tag}'}}\n"
        (folder / name / "compose.yaml").write_text(services)
    everything = parity("diff", "a/compose.yaml", "b/compose.yaml", "-o", "json")
    assert {item["service"] for item in json.loads(everything.out)["items"]} == {"api", "web"}
    one = parity("diff", "a/compose.yaml", "b/compose.yaml", "-o", "json", "--service", "web")
    assert {item["service"] for item in json.loads(one.out)["items"]} == {"web"}
    none = parity("diff", "a/compose.yaml", "b/compose.yaml", "--service", "wbe")
    assert (none.code, none.why) == (2, "parity: no service wbe (did you mean web?)")


# --- standard input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stdin",
    [
        b'{"KEY": "1", "EXTRA": "2"}',
        b"KEY=1\nEXTRA=2\n",
        b"KEY 1\nEXTRA 2\n",
        b'{"KEY": "1",\n "EXTRA": "2"}\n',
    ],
)
def test_standard_input_takes_json_and_lists_of_names(parity: Parity, folder: Path, stdin: bytes) -> None:
    write(folder, __env="KEY=1\n")
    answer = parity("diff", ".env", "-", stdin=stdin)
    assert "EXTRA missing in .env" in answer.out
    assert "in stdin" not in answer.out
    assert answer.code == 0, "missing on one side of unknown tier is for information"


def test_an_observation_on_standard_input(parity: Parity, folder: Path) -> None:
    write(folder, requirements__txt="django==4.2.26\n")
    answer = parity("diff", "requirements.txt", "-", stdin=json.dumps(OBSERVATION).encode())
    assert "django 4.2.26 → 5.2.8" in answer.out


def test_standard_input_is_one_side_only(parity: Parity, folder: Path) -> None:
    answer = parity("diff", "-", "-")
    assert (answer.code, answer.why) == (2, "parity: only one side can come from standard input")


# --- tiers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "shared"),
    [
        (".env.staging", ".env.prod", 1),
        ("dev/.env", "live/.env", 1),
        # Neither is production: one secret for both is nobody's risk.
        (".env.nonprod", ".env.staging", 0),
        (".env.non-prod", ".env.prod", 1),
        (".env.a", ".env.b", 0),
        # `product` is another word than `prod`.
        (".env.staging", ".env.product", 0),
    ],
)
def test_tiers_come_from_whole_words_of_names(
    parity: Parity, folder: Path, left: str, right: str, shared: int
) -> None:
    for path in (left, right):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text("API_SECRET=same\n")
    answer = parity("diff", left, right)
    assert (answer.code, int("same secret" in answer.out)) == (shared, shared)


def test_tiers_can_be_said(parity: Parity, folder: Path) -> None:
    write(folder, __env__a="API_SECRET=same\n", __env__b="API_SECRET=same\n")
    assert parity("diff", ".env.a", ".env.b").code == 0
    answer = parity("diff", ".env.a", ".env.b", "--as", "staging,prod")
    assert (answer.code, "same secret" in answer.out) == (1, True)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("staging", "give two tiers, as in --as staging,prod"),
        ("stagin,prod", "no tier stagin (did you mean staging?)"),
        ("a,b", "known: development"),
    ],
)
def test_wrong_tiers_name_the_known_ones(parity: Parity, folder: Path, words: str, why: str) -> None:
    answer = parity("diff", ".env.a", ".env.b", "--as", words)
    assert answer.code == 2
    assert why in answer.why


# --- files that are not what they should be ----------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "why"),
    [
        ("missing.env", "missing.env cannot be opened: no such file or directory"),
        (".env.prdo", ".env.prdo cannot be opened: no such file or directory (did you mean .env.prod?)"),
        (
            "dotenv:folder",
            "folder is a folder: name a file in it, or installed:folder for what is installed there",
        ),
        (".env.folder", ".env.folder is a folder"),
        ("dotenv:.env.prod/x", "cannot be opened: not a directory"),
        ("dotenv:a\0b", "cannot be opened: it cannot be read"),
        ("dotenv:pipe", "pipe is no regular file"),
        ("notes.txt", "notes.txt: the name does not tell the format; write TYPE:notes.txt"),
        ("python:nowhere", "nowhere cannot be opened: python: takes a folder"),
        ("sbom:x.json", "x.json cannot be opened"),
        ("dotenf:x", "dotenf: is no type of locator (did you mean dotenv?)"),
        ("PROD", "is no environment"),
        ("dotenv:", "dotenv: needs a path"),
        ("", "an empty expression"),
    ],
)
def test_what_cannot_be_opened_ends_with_2(parity: Parity, folder: Path, left: str, why: str) -> None:
    write(folder, __env__prod="A=1\n", notes__txt="A=1\n")
    (folder / "folder").mkdir()
    (folder / ".env.folder").mkdir()
    os.mkfifo(folder / "pipe")
    answer = parity("diff", left, ".env.prod")
    assert (answer.code, answer.out) == (2, "")
    assert answer.why.startswith("parity: ")
    assert why in answer.why


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        (".env.x", b"\xff\xfeA\x00=\x001\x00", "config malformed (written in UTF-16; save it as UTF-8)"),
        (".env.x", b"A=\xff\xfe1\n", "config malformed"),
        ("uv.lock", b'version = 1\n[[package]]\nname = "a', "dependencies malformed"),
        ("package-lock.json", b'{"lockfileVersion": 3, "packages": {', "dependencies malformed"),
        ("compose.yaml", b"services: [", "malformed"),
        ("compose.yaml", b"hello: world\n", "is this a compose file?"),
        ("x.json", b'{"schema": "parity.observation/v1"', "malformed"),
        ("uv.lock", b"a" * (32 * 1024 * 1024 + 1), "dependencies too large (more than 32 MB)"),
    ],
)
def test_what_opens_but_is_not_understood_is_unseen_and_ends_with_3(
    parity: Parity, folder: Path, name: str, data: bytes, why: str
) -> None:
    expression = f"snapshot:{name}" if name == "x.json" else name
    (folder / name).write_bytes(data)
    (folder / "other").mkdir()
    known = {
        ".env.x": "A=1\n",
        "uv.lock": 'version = 1\n[[package]]\nname = "a"\nversion = "1"\n',
        "package-lock.json": json.dumps(PACKAGE_LOCK),
        "compose.yaml": "services: {api: {image: 'a:1.4.2', ports: ['80:80']}}\n",
        "x.json": json.dumps(OBSERVATION),
    }
    (folder / "other" / name).write_text(known[name])
    right = expression.replace(name, f"other/{name}")
    answer = parity("diff", expression, right)
    assert answer.code == 3
    assert answer.why.startswith("cannot tell: ")
    assert why in answer.why
    assert "Not seen" in answer.out
    assert parity("diff", expression, right, "--allow-incomplete").code == 0


def test_an_engine_that_does_not_answer_is_unseen_in_one_entry(
    parity: Parity, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/none.sock")
    write(folder, __env__prod="A=1\n")
    answer = parity("diff", "docker:checkout", ".env.prod")
    assert answer.code == 3
    assert "docker:checkout dependencies unreachable" in answer.why
    assert answer.out.count("is the engine started?") == 1


def test_images_of_two_releases_differ_by_one_cause(parity: Parity, folder: Path) -> None:
    for name, release, version in (("old", 12, "3.0.14-1~deb12u2"), ("new", 13, "3.5.1-1")):
        packages = (DebPackage(name="openssl", version=version), DebPackage(name="libssl", version=version))
        layer = tar(
            file("etc/os-release", f"ID=debian\nVERSION_ID={release}\n"),
            file("var/lib/dpkg/status", dpkg_status(packages)),
        )
        (folder / f"{name}.tar").write_bytes(tar_of(saved(layer, tags=[f"acme/api:1.{release}.0"])))
    answer = parity("diff", "image:old.tar", "image:new.tar", "-o", "json")
    assert answer.code == 1
    document = json.loads(answer.out)
    causes = {cause["id"]: (cause["kind"], cause["children"]) for cause in document["causes"]}
    (openssl,) = (item for item in document["items"] if item["item"] == "pkg:deb/debian/openssl")
    assert (openssl["left"]["value"], openssl["right"]["value"]) == ("3.0.14-1~deb12u2", "3.5.1-1")
    assert causes[openssl["cause"]][1] >= 2
    assert (
        len({item["cause"] for item in document["items"] if item["section"] == "dependencies"} - {None}) == 1
    )


def test_an_image_that_is_neither_a_file_nor_in_the_engine(
    parity: Parity, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/none.sock")
    answer = parity("diff", "image:api.tar", "image:acme/api:1")
    assert (answer.code, " ".join(answer.out.split()).count("is the engine started?")) == (3, 2)
    answer = parity("diff", "image:Api Tar", "image:acme/api:1")
    assert answer.code == 2
    assert "no file of that name, and no name of an image" in answer.why


def test_no_value_is_ever_printed(parity: Parity, folder: Path) -> None:
    canary = "c4nary-Value-0815"
    write(
        folder, __env__staging=f"A_SECRET={canary}\nURL=https://u:{canary}@h.example/{canary}\nX={canary}\n"
    )
    write(folder, __env__prod=f"A_SECRET={canary}\nbroken {canary}\n")
    for form in ("table", "json", "yaml", "md", "csv"):
        answer = parity("diff", ".env.staging", ".env.prod", "--all", "-o", form)
        assert canary not in answer.out + answer.err


def test_all_lists_what_both_sides_have_alike(parity: Parity, folder: Path) -> None:
    for side, version in (("a", "5.2.8"), ("b", "5.2.9")):
        (folder / side).mkdir(exist_ok=True)
        (folder / side / "requirements.txt").write_text(f"django=={version}\nurllib3==2.5.0\n")
    short = parity("diff", "a/requirements.txt", "b/requirements.txt", "-o", "json")
    assert {item["item"] for item in json.loads(short.out)["items"]} == {"pkg:pypi/django"}
    whole = parity("diff", "a/requirements.txt", "b/requirements.txt", "--all", "-o", "json")
    found = {item["item"]: (item["status"], item["verdict"]) for item in json.loads(whole.out)["items"]}
    assert found["pkg:pypi/urllib3"] == ("same", "in_sync")
    assert found["pkg:pypi/django"][0] == "changed"
    assert json.loads(whole.out)["summary"] == json.loads(short.out)["summary"]

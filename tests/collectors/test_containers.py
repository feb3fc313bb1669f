"""What container runtimes say the same way, and replicas."""

import pytest

from collectors._containers import (
    ImageReference,
    commit,
    environment,
    first_process,
    image_reference,
    program,
    user,
)
from collectors._replicas import merged
from detector.model.facts import Section, Unseen, Value
from tests.collectors.lent import FINGERPRINTER

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "repository", "tag", "digest"),
    [
        ("acme/checkout:1.4.2", "acme/checkout", "1.4.2", None),
        ("registry.example:5000/acme/checkout", "acme/checkout", "latest", None),  # a port is no tag
        (f"localhost:5000/a/b:c@{DIGEST}", "a/b", "c", DIGEST),
        (f"acme/checkout@{DIGEST}", "acme/checkout", None, DIGEST),
        ("docker.io/library/postgres:16-alpine", "postgres", "16-alpine", None),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com/acme/checkout:1", "acme/checkout", "1", None),
    ],
)
def test_an_image_is_named_without_the_host_of_its_registry(
    text: str, repository: str, tag: str | None, digest: str | None
) -> None:
    assert image_reference(text) == ImageReference(repository=repository, tag=tag, digest=digest)


@pytest.mark.parametrize("text", ["", "<none>:<none>", DIGEST, "UPPER/case", "a b", "../x", "-"])
def test_what_names_no_repository_is_none(text: str) -> None:
    assert image_reference(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4F1D0A9", "4f1d0a9"), ("a" * 40, "a" * 40), ("main", None), ("canary-secret", None), ("", None)],
)
def test_a_commit_is_hexadecimal(text: str, expected: str | None) -> None:
    assert commit(text) == expected


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["/usr/local/bin/gunicorn", "--password=canary", "shop.wsgi"], "gunicorn"),
        (["flask", "--debug", "run", "--port=1"], "flask run"),
        (["celery", "-A", "shop", "worker"], "celery worker"),
        (["sh", "-c", "exec gunicorn shop.wsgi"], "gunicorn"),
        (["/docker-entrypoint.sh", "nginx", "-g", "daemon off;"], "nginx"),
        (["tini", "--", "node", "server.js"], "node"),
        (["/opt/canary-tool", "--token=canary"], None),
        (["env", "TOKEN=canary", "gunicorn"], None),  # nothing behind a word that we do not know
        ([], None),
        (["sh", "-c", ""], None),
    ],
)
def test_of_a_command_only_known_words_are_kept(argv: list[str], expected: str | None) -> None:
    assert program(argv) == expected


@pytest.mark.parametrize(
    ("argv", "init", "expected"),
    [
        (["gunicorn"], False, "program"),
        (["gunicorn"], True, "init"),
        (["/sbin/tini", "--", "gunicorn"], False, "init"),
        (["/bin/sh", "-c", "gunicorn shop.wsgi"], False, "shell"),
        (["/bin/sh", "-c", "exec gunicorn shop.wsgi"], False, "program"),  # the shell is replaced
        ([], False, "program"),
    ],
)
def test_process_one(*, argv: list[str], init: bool, expected: str) -> None:
    assert first_process(argv, init=init) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "root"),
        ("0", "root"),
        ("0:0", "root"),
        ("root", "root"),
        ("10001", "10001"),
        ("app:app", "app:app"),
    ],
)
def test_no_user_is_root(text: str, expected: str) -> None:
    assert user(text) == expected


def test_what_equals_the_image_is_the_images_own() -> None:
    shapes, refused = environment(
        [
            ("LANG", "C.UTF-8"),
            ("PATH", "/opt"),
            ("HOSTNAME", "x1"),
            ("DEBUG", "true"),
            ("a key = canary", "x"),
        ],
        FINGERPRINTER,
        compare=("DEBUG",),
        defaults={"LANG": "C.UTF-8", "PATH": "/bin"},
        platform=frozenset({"HOSTNAME"}),
    )
    assert {name: shape["source_class"] for name, shape in shapes.items()} == {
        "LANG": "image_default",
        "PATH": "literal",  # the image has another one
        "HOSTNAME": "platform",
        "DEBUG": "literal",
    }
    assert "fingerprint" in shapes["DEBUG"]  # listed under `compare`
    assert refused == 1
    assert "canary" not in repr(shapes)


def _release(tag: Value, **more: Value) -> Section:
    return Section(basis="running", facts={"image#tag": tag, **more}, covers=())


def test_replicas_that_agree_say_one_value() -> None:
    assert merged([{"release": _release("1")}] * 3)["release"].facts == {"image#tag": "1"}


def test_replicas_that_differ_say_a_count_of_each() -> None:
    both = merged([{"release": _release("1")}, {"release": _release("2")}, {"release": _release("2")}])
    assert both["release"].facts["image#tag"] == {"values": {"1": 1, "2": 2}}


def test_documents_of_replicas_are_counted_by_their_canonical_text() -> None:
    one, two = _release("1", probe={"b": 1, "a": 2}), _release("1", probe=None)
    assert merged([{"release": one}, {"release": two}])["release"].facts["probe"] == {
        "values": {'{"a":2,"b":1}': 1, "null": 1}
    }


def test_a_variable_that_names_the_replica_keeps_what_all_agree_in() -> None:
    def config(value: str) -> Section:
        shapes, _ = environment([("NODE_ID", value)], FINGERPRINTER, compare=(), defaults={})
        return Section(basis="running", facts=shapes)

    merged_config = merged([{"config": config("node a")}, {"config": config("node b")}])["config"]
    assert merged_config.facts == {"NODE_ID": {"type": "text", "source_class": "literal"}}


def test_what_one_replica_could_not_show_stays_unseen() -> None:
    part = Unseen(item="pkg:deb/*", reason="denied")
    partial = Section(basis="running", status="partial", unseen=(part,), covers=("pkg:deb/*",))
    whole = Section(basis="running", facts={"pkg:deb/debian/ab": "1"}, covers=("pkg:deb/*", "pkg:pypi/*"))
    section = merged([{"dependencies": whole}, {"dependencies": partial}])["dependencies"]
    assert section.status == "partial"
    assert section.unseen == (part,)
    assert section.covers == ("pkg:deb/*", "pkg:pypi/*")

"""Files of variables by the rules of compose, docker and systemd, beside the real loaders where they are."""

import asyncio
import re
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import get_args

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.readers._env_lines import Binding, Unparsed
from collectors.readers.dotenv import Dialect, entries, shapes_of
from detector.errors import UnseenError
from detector.model.fingerprints import Fingerprinter
from tests.collectors.readers.cuts import OF_A_HUNDRED_OR_ALL, Cuts, Record
from tests.servers.process import required

FINGERPRINTER = Fingerprinter(b"k" * 32)
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
#: Makes variables of `environment.d` by the very function that reads an EnvironmentFile.
GENERATOR = Path("/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator")


def pairs(text: str, dialect: Dialect) -> dict[str, str | None]:
    return {entry.name: entry.value for entry in entries(text, ".env", dialect) if isinstance(entry, Binding)}


@pytest.mark.parametrize(
    ("line", "dotenv", "compose", "docker", "systemd"),
    [
        # one line, as four loaders read it; None: no value
        ("A=b c ", "b c", "b c", "b c ", "b c"),
        ('A="b" # c', "b", "b", '"b" # c', "b# c"),
        ("A='b'", "b", "b", "'b'", "b"),
        ("A=b # c", "b", "b", "b # c", "b # c"),
        ("A=b\t# c", "b", "b\t# c", "b\t# c", "b\t# c"),
        (r'A="b\nc"', "b\nc", "b\nc", r'"b\nc"', r"b\nc"),
        (r"A='b\'c'", "b'c", "b'c", r"'b\'c'", r"b\c'"),  # systemd knows no escape between single quotes
        (r'A="b\"c"', 'b"c', 'b"c', r'"b\"c"', 'b"c'),
        (r'A="\101\0101"', r"\101\0101", r"\101A", r'"\101\0101"', r"\101\0101"),
        (r'A="b\$c"', r"b\$c", "b$$c", r'"b\$c"', "b$c"),
        ("A=b\\ c\\ ", "b\\ c\\", "b\\ c\\", "b\\ c\\ ", "b c "),
        ('A="b" "c"', None, "b", '"b" "c"', "bc"),
        ("A=b'c'", "b'c'", "b'c'", "b'c'", "b'c'"),
        ("A: b", None, "b", None, None),
        ("A =b", "b", "b", None, "b"),
        ("A", None, None, None, None),
        ("A=", "", "", "", ""),
        ("A= # c", "", "# c", " # c", "# c"),
    ],
)
def test_one_line_says_what_its_loader_makes_of_it(
    line: str, dotenv: str | None, compose: str | None, docker: str | None, systemd: str | None
) -> None:
    for dialect, expected in zip(DIALECTS, (dotenv, compose, docker, systemd), strict=True):
        try:
            assert pairs(line, dialect).get("A") == expected, dialect
        except UnseenError:
            assert expected is None, dialect


def test_only_systemd_joins_lines_and_takes_a_semicolon_for_a_comment() -> None:
    text = "A=b\\\n  c\n; D=1\n# d \\\nE=2\n"
    assert pairs(text, "systemd") == {"A": "b  c", "E": "2"}
    assert pairs("; D=1", "compose") == {}
    assert [type(entry) for entry in entries("; D=1", ".env", "compose")] == [Unparsed]


def test_export_is_no_part_of_a_name_but_for_systemd_and_docker() -> None:
    assert pairs("export A=1", "compose") == {"A": "1"}
    assert pairs("export A=1", "systemd") == {"export A": "1"}  # a name that systemd leaves out
    shapes, unseen, _ = shapes_of(b"export A=11\nB=22\n", "app.conf", FINGERPRINTER, dialect="systemd")
    assert list(shapes) == ["B"]
    assert unseen[0].detail == "app.conf: line 1: not NAME=value"


@pytest.mark.parametrize("dialect", ["compose", "docker"])
def test_a_name_alone_is_handed_through_by_docker_and_so_unknown(dialect: Dialect) -> None:
    shapes, unseen, _ = shapes_of(b"A\nB=22\n", ".env", FINGERPRINTER, dialect=dialect)
    assert list(shapes) == ["B"]
    assert [(entry.item, entry.reason) for entry in unseen] == [("A", "not_in_view")]


def test_compose_fills_in_all_but_what_stands_in_single_quotes() -> None:
    text = b'A=$HOME/x\nB="${HOST:-db}:1"\nC=\'$HOME/x1\'\nD=a$$b1\nE="a\\$b1"\n'
    shapes, _, _ = shapes_of(text, ".env", FINGERPRINTER, dialect="compose")
    template = {"type": "template", "source_class": "literal", "opaque": True}
    assert shapes["A"] == shapes["B"] == template
    assert shapes["C"]["fingerprint"] == FINGERPRINTER.of("C", "$HOME/x1")
    assert shapes["D"]["fingerprint"] == FINGERPRINTER.of("D", "a$b1")
    assert shapes["E"]["fingerprint"] == FINGERPRINTER.of("E", "a$b1")


PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq0\nzz9==\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_key_block_is_one_value_in_every_dialect(dialect: Dialect) -> None:
    shapes, unseen, warnings = shapes_of(
        f"A=11\nKEY={PEM}\nB=22\n".encode(), ".env", FINGERPRINTER, dialect=dialect
    )
    assert (list(shapes), unseen) == (["A", "KEY", "B"], ())
    assert shapes["KEY"]["fingerprint"] == FINGERPRINTER.of("KEY", PEM)
    assert "lines 2 to 5" in warnings[0]
    with pytest.raises(UnseenError, match=r"\.env:2: a PEM block that is never closed"):
        shapes_of(f"A=11\nKEY={PEM[:60]}".encode(), ".env", FINGERPRINTER, dialect=dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "slipped", ["MIIEpAIBAAKCAQEA7bq0Zk2uJw8Qx", "MIIEpAIBAAKCAQEA7bq0Zk2uJw8Qx==", "a b/c"]
)
def test_a_slipped_line_of_a_key_is_named_by_its_number(dialect: Dialect, slipped: str) -> None:
    shapes, unseen, warnings = shapes_of(
        f"A=11\n{slipped}\n".encode(), ".env", FINGERPRINTER, dialect=dialect
    )
    assert list(shapes) == ["A"]
    assert [(entry.item, entry.reason) for entry in unseen] == [("*", "malformed")]
    assert "line 2" in unseen[0].detail
    assert slipped not in str((shapes, unseen, warnings))


async def test_docker_itself_takes_the_same(tmp_path: Path) -> None:
    text = "A=b c \nB=\"q\" # c\n # x\n\n  C='1'\nD=\nE=a=b\\\n"
    asked: list[list[str]] = []

    async def engine(request: web.Request) -> web.Response:
        if request.path.endswith("/containers/create"):
            asked.append((await request.json())["Env"])
            return web.json_response({"message": "enough"}, status=500)
        return web.Response(text="OK", headers={"Api-Version": "1.41"})

    (tmp_path / ".env").write_text(text)
    program = required("docker", "the client of Docker", "apt-get install docker.io")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", engine)
    async with TestServer(app) as server:
        client = await asyncio.create_subprocess_exec(
            *(
                program,
                "--host",
                f"tcp://{server.host}:{server.port}",
                "create",
                "--env-file",
                ".env",
                "image",
            ),
            cwd=tmp_path,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await client.wait()
    assert asked == [[f"{name}={value}" for name, value in pairs(text, "docker").items()]]


@pytest.mark.parametrize("cuts", OF_A_HUNDRED_OR_ALL)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_file_that_was_cut_has_every_key_before_the_cut_and_no_other(
    dialect: Dialect, cuts: Cuts, record_property: Record
) -> None:
    text = f"A=one 11\n# c\nB='two 22'\nKEY={PEM}\nC=\"three\n33\"\nD=$X\nE=\n"
    whole, _, _ = shapes_of(text.encode(), ".env", FINGERPRINTER, dialect=dialect)
    for data in cuts(text.encode(), record_property):
        try:
            found, unseen, _ = shapes_of(data, ".env", FINGERPRINTER, dialect=dialect)
        except UnseenError as error:
            assert re.match(r"\.env:[0-9]+: ", error.detail)  # noqa: PT017
            continue
        assert set(found) | {entry.item for entry in unseen} <= {*whole, "*"}
        # All but the last may not have changed: the cut may have shortened its value or its name.
        assert all(found[key] == whole[key] for key in list(found)[:-1])


TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            ["", "#x", ";y", "A=1", "B = 2 # c", "C='a # b'", 'D="a\\"b" \'c\'', "E", "F=a\\", "=x"]
        ),
        st.text(alphabet="AB_1 =#;'\"\\\tn", max_size=12),
    ),
    max_size=8,
).map("\n".join)


def _shell_pairs(printed: str) -> dict[str, str]:
    """Return what the generator prints, in the quotes of a shell, as pairs."""
    done = subprocess.run(
        ["bash", "-c", 'set -a; eval "$(cat)"; exec env -0'],
        input=printed.encode(),
        capture_output=True,
        check=True,
        env={},
    )
    found = (entry.partition("=") for entry in done.stdout.decode().split("\0") if entry)
    return {name: value for name, _, value in found if name not in ("_", "PWD", "SHLVL", "OLDPWD")}


@pytest.mark.skipif(not GENERATOR.exists(), reason="systemd is missing: apt-get install systemd")
@pytest.mark.parametrize(
    "text",
    [
        "A=1\nB = 2 # c\nC='a # b'\n; D=1\n",
        "A=\"a\\\"b\" 'c' d'e'\nB=x\\\n y  \nC=\\ z\\ \n",
        'B="two\\\nlines"\nC="a\\nb"\n',
        "A B=1\nexport C=2\nD-E=3\n1F=4\nG=5",
        "A=1\r\nB=2\r\n",
        "A=1\nA=2\n",
    ],
)
def test_systemd_itself_reads_the_same(text: str, tmp_path: Path) -> None:
    folder = tmp_path / "environment.d"
    folder.mkdir()
    (folder / "zz.conf").write_text(text, newline="")
    done = subprocess.run(
        [GENERATOR], env={"XDG_CONFIG_HOME": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    ours = {name: value for name, value in pairs(text, "systemd").items() if name.isidentifier()}
    theirs = _shell_pairs(done.stdout)
    assert {name: theirs.get(name) for name in ours} == ours
    # The machine has variables of its own, with longer names.
    assert {name for name in theirs if len(name) == 1} == set(ours)


@given(TEXTS, st.sampled_from(DIALECTS))
@example('A="\\', "systemd")
@example("A=\\", "systemd")
@example("A='\\'", "compose")
def test_no_text_ends_in_a_traceback_and_every_line_is_counted(text: str, dialect: Dialect) -> None:
    found = []
    with suppress(UnseenError):
        found = list(entries(text, ".env", dialect))
    lines = [entry.line for entry in found]
    assert lines == sorted(lines)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)

"""The host collector: the machine of the test itself, and what other machines said."""

import os
import shutil
import socket
import stat
from pathlib import Path

import pytest

from collectors._host_sockets import ephemeral_ports, listening, owners, read_tables
from collectors._host_tools import version_in, versions_of
from collectors.host import Answers, HostCollector, HostOptions, facts_from_answers
from detector.errors import UnseenError
from tests.collectors.lent import context

NOTHING = listening({}, range(0))


async def test_it_sees_the_machine_it_runs_on() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        collected = await HostCollector().collect(HostOptions(), context())
    (seen,) = collected.seen
    facts = seen.sections["dependencies"].facts
    assert {"os#release", "os#kernel", "os#arch"} <= facts.keys()
    assert facts["os#kernel"] == os.uname().release
    python = shutil.which("python3")
    assert python is None or "tool#python3" in facts
    # The kernel gave this port away: it would differ at each start.
    assert f"{port}/tcp" not in seen.sections["ports"].facts


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("git version 2.39.5", "2.39.5"),
        ("GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)", "5.2.15"),
        ("curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1 OpenSSL/3.0.17", "7.88.1"),
        ('openjdk version "17.0.15" 2025-04-15', "17.0.15"),
        ("OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3.0.17 1 Jul 2025", "9.2p1"),
        ("gcc (Debian 12.2.0-14+deb12u1) 12.2.0", "12.2.0"),
        ("pg_dump (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", "15.14"),
        ("jq-1.6", "1.6"),
        ("go version go1.19.8 linux/amd64", "1.19.8"),
        ("v20.20.2", "20.20.2"),
        ("ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) [x86_64-linux-gnu]", "3.1.2p20"),
        ("ffmpeg version 5.1.7-0+deb12u1 Copyright (c) 2000-2025 the FFmpeg developers", "5.1.7"),
        ("warning: something\nVersion: ImageMagick 6.9.11-60 Q16", "6.9.11"),
        # All that it says of itself stands in brackets.
        ("tool (1.2.3)", "1.2.3"),
        ("usage: tool [options]", None),
        ("", None),
        ("(" * 10_000 + "1" * 10_000, None),
    ],
)
def test_the_version_in_what_a_tool_says_of_itself(said: str, version: str | None) -> None:
    assert version_in(said) == version


def _tool(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


async def test_a_tool_that_hangs_floods_or_fails_is_unseen_and_its_words_are_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors._host_tools._SECONDS", 0.5)
    monkeypatch.setenv("API_TOKEN", "canary")
    _tool(tmp_path, "hangs", "sleep 60 & sleep 60")
    _tool(tmp_path, "floods", "exec yes canary")
    _tool(tmp_path, "fails", "echo canary 1.2.3 >&2; exit 1")
    _tool(tmp_path, "leaks", 'test -z "$API_TOKEN" && echo 4.5.6')
    _tool(tmp_path, "asks", "read answer; echo 7.8")
    _tool(tmp_path, "garbled", "printf '\\377\\000 9.9.1\\n'")
    (tmp_path / "broken").write_text("no program")
    (tmp_path / "broken").chmod(0o700)
    names = ["hangs", "floods", "fails", "leaks", "asks", "garbled", "broken", "missing"]
    found = await versions_of(names, lambda name: str(p) if (p := tmp_path / name).exists() else None)
    assert {name: one for name, one in found.items() if isinstance(one, str)} == {
        "leaks": "4.5.6",
        "asks": "7.8",
        "garbled": "9.9.1",
    }
    reasons = {name: one.reason for name, one in found.items() if isinstance(one, UnseenError)}
    assert reasons == {
        "hangs": "timeout",
        "floods": "unsupported",
        "fails": "unsupported",
        "broken": "denied",
    }
    assert "canary" not in repr(found)


@pytest.mark.parametrize("name", ["../git", "git log", "-v", "/bin/sh", "", "a" * 65])
def test_a_tool_is_named_by_its_file_name_alone(name: str) -> None:
    with pytest.raises(ValueError, match="named by its file name"):
        HostOptions(tools=(name,))


def test_what_was_asked_for_and_is_not_there_is_missing_and_nothing_else() -> None:
    answers = Answers(
        system={"os#release": "debian 12", "os#locale": None, "os#timezone": UnseenError("denied", "closed")},
        tools={"git": "2.39.5", "gs": UnseenError("timeout", "gs did not tell its version")},
        asked=("git", "gs", "ffmpeg"),
        listening=NOTHING,
    )
    section = facts_from_answers(answers)["dependencies"]
    assert section.facts == {"os#release": "debian 12", "tool#git": "2.39.5"}
    assert section.covers == ("os#release", "tool#git", "tool#gs", "tool#ffmpeg")
    assert section.status == "partial"
    assert {entry.item: entry.reason for entry in section.unseen} == {
        "os#timezone": "denied",
        "tool#gs": "timeout",
    }


UNITS = """\
cron.service                loaded    active   running Regular background program
shop-web.service            loaded    failed   failed  canary description
apt-daily.timer             loaded    active   waiting Daily apt
rescue.service              loaded    inactive dead    Rescue Shell
user@1000.service           loaded    active   running User Manager
run-r1f3.service            loaded    active   running /bin/canary --token=x
dbus.socket                 loaded    active   running D-Bus
● weird\x1b.service         loaded    active   running x

getty@tty1.service          loaded    active   running Getty
"""


@pytest.mark.parametrize(
    ("globs", "expected"),
    [
        (
            ("*",),
            {
                "unit/cron.service": "running",
                "unit/shop-web.service": "failed",
                "unit/apt-daily.timer": "waiting",
                "unit/dbus.socket": "running",
                "unit/getty@tty1.service": "running",
            },
        ),
        (("shop-*",), {"unit/shop-web.service": "failed"}),
    ],
)
def test_units_that_run_or_failed_by_name_and_state_alone(
    globs: tuple[str, ...], expected: dict[str, str]
) -> None:
    answers = Answers(system={}, tools={}, units=UNITS, listening=NOTHING)
    section = facts_from_answers(answers, globs)["processes"]
    assert section.facts == expected
    assert section.covers == tuple(f"unit/{glob}" for glob in globs)
    assert "canary" not in repr(section)


def test_without_systemd_nothing_is_said_of_units_and_a_refusal_is_unseen() -> None:
    assert "processes" not in facts_from_answers(Answers(system={}, tools={}, listening=NOTHING))
    refused = UnseenError("denied", "systemd does not answer this user")
    section = facts_from_answers(Answers(system={}, tools={}, units=refused, listening=NOTHING))["processes"]
    assert section.status == "failed"


TCP = """\
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100
   1: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1 0 100
   2: 0100007F:A000 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 13 1 0 100
   3: 0100007F:0016 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 14 1 0 100
   damaged
"""
TCP6 = "   0: 00000000000000000000000000000000:1F90 0:0 0A 0:0 0:0 0 0 0 15 1\n"
UDP = "   7: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 16 2 0 0\n"


def test_what_listens_by_port_and_protocol_with_the_process_where_it_is_known() -> None:
    tables = {"tcp": TCP.splitlines(), "tcp6": TCP6.splitlines(), "udp": UDP.splitlines(), "udp6": []}
    found = listening(tables, range(32768, 61000))
    answers = Answers(
        system={},
        tools={},
        listening=found,
        owners={"11": "nginx", "15": "nginx", "16": "dnsmasq"},
    )
    section = facts_from_answers(answers)["ports"]
    assert section.facts == {"5432/tcp": None, "8080/tcp": "nginx", "53/udp": "dnsmasq"}
    assert section.status == "complete"


def test_a_table_that_cannot_be_read_is_unseen_and_one_of_ipv6_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text("heading\n" + TCP)
    tables = read_tables(tmp_path)
    assert tables.keys() == {"tcp", "tcp6", "udp6"}
    section = facts_from_answers(Answers(system={}, tools={}, listening=listening(tables, range(0))))["ports"]
    assert [(entry.item, entry.reason) for entry in section.unseen] == [("*/udp", "denied")]
    assert "8080/tcp" in section.facts


def test_ports_that_the_kernel_hands_out_are_told_by_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "sys/net/ipv4").mkdir(parents=True)
    assert ephemeral_ports(tmp_path) == range(0)
    (tmp_path / "sys/net/ipv4/ip_local_port_range").write_text("32768\t60999\n")
    assert ephemeral_ports(tmp_path) == range(32768, 61000)


def test_the_process_of_a_socket_is_found_by_its_inode() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        inode = str(os.fstat(server.fileno()).st_ino)
        assert owners(Path("/proc"), frozenset({inode})) == {
            inode: Path("/proc/self/comm").read_text().strip()
        }

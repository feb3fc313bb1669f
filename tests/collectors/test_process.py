"""The collector `process`: real processes, and a made-up `/proc` for what they cannot show."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collectors._proc import Machine, _opened, _parent_and_start, process, running
from collectors.process import ProcessCollector, ProcessOptions
from detector.collector import Collected
from detector.errors import UnseenError
from tests.collectors.lent import FINGERPRINTER, context

ENVIRONMENT = {
    "DATABASE_URL": "postgres://u:C4n4ry@db.internal/shop",
    "MODE": "blue",
    "PATH": "/usr/bin:/bin",
    "HOME": "/root",
    "INVOCATION_ID": "b1946ac92492d2347c6235b4d2611184",
}
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a process that waits, under a name of its own, and ends it with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(*words: str, environment: Mapping[str, str] = ENVIRONMENT) -> subprocess.Popen[bytes]:
        words = words or ("sleep", "60")
        child = subprocess.Popen(words, env=dict(environment))
        started.append(child)
        # Until the program runs the child is a copy of this process, with its environment.
        while not Path(f"/proc/{child.pid}/cmdline").read_bytes().startswith(f"{words[0]}\0".encode()):
            time.sleep(0.001)
        return child

    yield begin
    for child in started:
        child.kill()
        child.wait()


async def _collect(folder: Path = Path(), **options: Any) -> Collected:
    return await ProcessCollector().collect(ProcessOptions.model_validate(options), context(folder=folder))


async def test_a_process_tells_what_it_was_started_with(start: Start) -> None:
    child = start()
    (seen,) = (await _collect(pid=child.pid, compare=["MODE"])).seen
    config = seen.sections["config"]
    assert list(config.facts) == ["DATABASE_URL", "MODE", "PATH"]
    url: Any = config.facts["DATABASE_URL"]
    assert (url["scheme"], url["host"], url["credentials"]) == ("postgres", "private", True)
    assert url["fingerprint"] == FINGERPRINTER.of("DATABASE_URL", ENVIRONMENT["DATABASE_URL"])
    path: Any = config.facts["PATH"]
    assert path["source_class"] == "image_default"
    assert (config.basis, config.status) == ("running", "complete")
    assert seen.sections["processes"].facts == {"user": "root" if os.geteuid() == 0 else os.environ["USER"]}
    assert "C4n4ry" not in repr(seen)


async def test_a_known_program_is_named_without_its_arguments(start: Start, tmp_path: Path) -> None:
    (tmp_path / "gunicorn").symlink_to(sys.executable)
    wait = "import time; time.sleep(60)"
    child = start(str(tmp_path / "gunicorn"), "-c", wait, "--password=C4n4ry")
    (seen,) = (await _collect(pid=child.pid)).seen
    assert seen.sections["processes"].facts["command"] == "gunicorn"
    assert seen.sections["processes"].facts["server"] == "gunicorn"
    assert "C4n4ry" not in repr(seen)


async def test_it_is_found_by_its_name_and_what_it_started_does_not_count(tmp_path: Path) -> None:
    script = tmp_path / "parity-test-app"
    # A shell in brackets has the name of the shell around it.
    script.write_text("#!/bin/sh\n(sleep 60; true) &\nwait\n")
    script.chmod(0o755)
    started = [subprocess.Popen([script], env={"A": text}, start_new_session=True) for text in ("1 a", "2 b")]
    try:
        while len(_named(script.name)) < 2:
            time.sleep(0.005)
        assert running(Machine(), name=script.name) == [one.pid for one in started]
        collected = await _collect(program=script.name)
        # Where replicas differ there is no common value.
        assert "fingerprint" not in collected.seen[0].sections["config"].facts["A"]  # type: ignore[operator]
        assert collected.warnings == ("2 processes fit; where they differ, values are not compared",)
    finally:
        for one in started:
            os.killpg(one.pid, signal.SIGKILL)
            one.wait()


def _named(name: str) -> list[int]:
    try:
        return running(Machine(), name=name)
    except UnseenError:
        return []


async def test_a_file_tells_the_process_id(start: Start, tmp_path: Path) -> None:
    child = start()
    file = tmp_path / "app.pid"
    file.write_text(f"{child.pid}\n")
    collected = await _collect(tmp_path, pid_file="app.pid")
    assert "DATABASE_URL" in collected.seen[0].sections["config"].facts
    os.utime(file, (0, 0))  # as a file that an earlier process left behind
    with pytest.raises(UnseenError, match=r"app\.pid is older than process [0-9]+: .* has ended"):
        await _collect(tmp_path, pid_file="app.pid")
    file.write_text("C4n4ry")
    with pytest.raises(UnseenError, match=r"app\.pid holds no process id"):
        await _collect(tmp_path, pid_file="app.pid")


async def test_what_ends_meanwhile_is_not_taken_for_another(start: Start) -> None:
    child = start()

    def ends() -> None:
        with _opened(Machine(), child.pid) as folder:
            child.kill()
            child.wait()
            _parent_and_start(folder)

    with pytest.raises(UnseenError, match="ended while it was read"):
        ends()
    with pytest.raises(UnseenError, match=f"there is no process {child.pid}"):
        await _collect(pid=child.pid)


def test_a_thread_of_the_kernel_is_no_process_of_a_service() -> None:
    with pytest.raises(UnseenError):
        process(Machine(), 2)


async def test_an_environment_of_somebody_else_is_denied_with_the_remedy(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = start()
    opened = os.open

    def denied(path: Any, *more: Any, **other: Any) -> int:
        if path == "environ":
            raise PermissionError(13, "C4n4ry")  # root, as which tests may run, would be let in
        return opened(path, *more, **other)

    monkeypatch.setattr(os, "open", denied)
    (seen,) = (await _collect(pid=child.pid)).seen
    config = seen.sections["config"]
    assert (config.status, config.unseen[0].reason) == ("failed", "denied")
    assert "or root, or give it CAP_SYS_PTRACE" in config.unseen[0].detail
    assert "user" in seen.sections["processes"].facts


# --- a machine of its own --------------------------------------------------------------------------


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(proc=tmp_path / "proc", cgroups=tmp_path / "cgroup")
    made.cgroups.mkdir()
    (made.cgroups / "cgroup.controllers").write_text("cpu memory\n")
    made.proc.mkdir()
    (made.proc / "stat").write_text("cpu 1 2\nbtime 1700000000\n")
    return made


def _put(machine: Machine, pid: int, parent: int, group: str, *, started: int = 100, **more: bytes) -> None:
    files = {
        "stat": f"{pid} (a) b) S {parent} {' '.join(['0'] * 17)} {started} 0".encode(),
        "comm": b"app\n",
        "cmdline": b"/srv/app\0--token=C4n4ry\0",
        "environ": b"A=1 one\0",
        "status": b"Name:\tapp\nUid:\t54321\t54321\t54321\t54321\n",
        "cgroup": f"0::{group}\n".encode(),
    }
    folder = machine.proc / str(pid)
    folder.mkdir(parents=True)
    for name, content in (files | more).items():
        (folder / name).write_bytes(content)


async def _of(machine: Machine, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Any:
    monkeypatch.setattr(ProcessCollector, "machine", machine)
    return (await _collect(**options)).seen[0].sections


UNIT = "/system.slice/checkout.service"


async def test_a_unit_is_found_by_its_control_group(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(machine, 40, 1, "/system.slice/checkout.service-other", environ=b"WRONG=1\0")
    _put(machine, 51, 50, f"{UNIT}/workers", environ=b"WRONG=2\0")
    _put(machine, 50, 1, UNIT, started=200)
    _put(machine, 60, 1, UNIT, started=100, environ=b"OLDEST=1 one\0")  # numbers start anew at some time
    sections = await _of(machine, monkeypatch, unit="checkout")
    assert list(sections["config"].facts) == ["OLDEST"]
    assert sections["processes"].facts == {"user": "54321"}
    assert running(machine, unit="checkout.service") == [60, 50]
    with pytest.raises(UnseenError, match=r"no process belongs to the unit shop\.service"):
        await _of(machine, monkeypatch, unit="shop.service")


async def test_the_narrowest_limit_counts(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, memory, cpu in (
        ("system.slice", "2147483648", "max 100000"),
        (UNIT[1:], "4294967296", "150000 100000"),
    ):
        group = machine.cgroups / path
        group.mkdir()
        (group / "memory.max").write_text(f"{memory}\n")
        (group / "cpu.max").write_text(f"{cpu}\n")
    _put(machine, 50, 1, UNIT)
    sections = await _of(machine, monkeypatch, unit="checkout")
    assert sections["concurrency"].facts == {"limit/memory": 2147483648, "limit/cpu": 1.5}
    (machine.cgroups / "cgroup.controllers").unlink()  # a machine of the old hierarchies
    assert "concurrency" not in await _of(machine, monkeypatch, unit="checkout")


@pytest.mark.parametrize(
    ("environ", "keys", "reason"),
    [
        (b"A=1 one\0\0B=2 two\0", ["A", "B"], None),
        (b"A=\0", ["A"], None),
        (b"app: master [C4n4ry]\0A=1 one\0", ["A"], "malformed"),  # the title of a process over it
        (b"1C4n4ry=x\0A=1 one\0", ["A"], "malformed"),
        (b"sk_live_4eC39HqLyjWDarjtT1=C4n4ry\0", [], "malformed"),
        (b"BASH_FUNC_x%%=() { C4n4ry; }\0A=1 one\0", ["A"], None),  # a function of the shell
        (b"", [], "not_in_view"),
        (b"A=\xff\xfeC4n4ry\0", ["A"], None),
    ],
)
async def test_what_stands_in_an_environment(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, environ: bytes, keys: list[str], reason: str | None
) -> None:
    _put(machine, 50, 1, UNIT, environ=environ)
    config = (await _of(machine, monkeypatch, pid=50))["config"]
    assert list(config.facts) == keys
    assert [entry.reason for entry in config.unseen] == ([reason] if reason else [])
    assert "C4n4ry" not in repr(config)


def test_an_environment_beyond_all_use_is_too_large(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors._proc._LARGEST", 100)
    _put(machine, 50, 1, UNIT, environ=b"A=" + b"x" * 200)
    with pytest.raises(UnseenError, match="too_large"):
        process(machine, 50)


@pytest.mark.parametrize(
    "options",
    [{}, {"pid": 1, "unit": "a"}, {"pid": 0}, {"unit": "../a"}, {"unit": ""}, {"program": ""}],
)
def test_exactly_one_way_to_find_it_is_given(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProcessOptions.model_validate(options)

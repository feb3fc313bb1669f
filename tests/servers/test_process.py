import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.servers.process import ServerFailed, ServerMissing, ServerProcess, free_port, listens, required


class Program(ServerProcess):
    """A server that is one line of Python."""

    name = "program"
    start_seconds = 10.0
    stop_seconds = 0.2

    def __init__(self, source: str) -> None:
        super().__init__()
        self.port = free_port()
        self._source = source

    def _command(self) -> Sequence[str]:
        return [sys.executable, "-c", self._source, str(self.port)]

    def _ready(self) -> bool:
        return listens(self.port)


_LISTEN = "import socket, signal, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); "


def test_a_server_that_ends_at_once_fails_with_its_output_and_leaves_no_folder() -> None:
    program = Program("raise SystemExit('the port is taken')")
    with pytest.raises(ServerFailed, match="the port is taken"):
        program.__enter__()
    assert not program.folder.exists()


def test_a_server_that_never_answers_fails_in_bounded_time() -> None:
    program = Program("import signal; signal.pause()")
    program.start_seconds = 0.1
    with pytest.raises(ServerFailed, match=r"not ready in 0\.1 s"):
        program.__enter__()


def test_a_server_that_ignores_sigterm_is_killed() -> None:
    with Program(
        _LISTEN + "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    ) as it:
        it._await(lambda: "deaf" in it.output)
        child = it._process
        assert child is not None
        it.stop()
        assert child.returncode == -signal.SIGKILL
        it.start()
        assert listens(it.port)


def test_the_output_stays_readable_while_it_runs() -> None:
    with Program(_LISTEN + "print('listening', flush=True); signal.pause()") as it:
        it._await(lambda: "listening" in it.output)


def test_a_missing_server_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(ServerMissing, match="Kafka is not available here: apt-get install kafka"):
        required("no-such-program", "Kafka", "apt-get install kafka")


def test_a_test_whose_server_is_missing_is_skipped_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "test_kafka.py").write_text(
        """
import pytest
from tests.servers.process import ServerMissing

@pytest.fixture
def kafka():
    raise ServerMissing("Kafka", "apt-get install kafka")

def test_by_fixture(kafka): ...

def test_by_itself():
    raise ServerMissing("Kafka", "apt-get install kafka")
"""
    )
    root = Path(__file__).parents[2]
    pytest_here = [sys.executable, "-m", "pytest", "-rs", "-c", "/dev/null", "-p", "tests.servers.fixtures"]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        [*pytest_here, str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert "2 skipped" in done.stdout
    assert "Kafka is not available here: apt-get install kafka" in done.stdout

"""B14: `parity diff .env.staging .env.prod` as a whole process, from its start to its end."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.measuring import Contender, Limit, Work

_KEYS: Final = 40
#: The same answer with the library alone, for those who would write it themselves.
_BY_HAND: Final = """
import sys
from deepdiff import DeepDiff
def names(path):
    with open(path) as file:
        return {line.partition("=")[0]: True for line in file if "=" in line}
print(DeepDiff(names(sys.argv[1]), names(sys.argv[2])))
"""


def whole_process() -> Iterator[Work]:
    """Yield B14. The files lack a key each; all their other values are of one kind."""
    with TemporaryDirectory(prefix="parity-bench-") as folder:
        files = _files(Path(folder))
        # As an installation has it: with compiled bytecode, made by the first, unmeasured run.
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PARITY_"))
        }
        environment["PYTHONPYCACHEPREFIX"] = str(Path(folder, "bytecode"))
        script = str(Path(sysconfig.get_path("scripts"), "parity"))
        start = partial(_run, folder=folder, environment=environment)
        yield Work(
            number="B14",
            title=f"`parity diff .env.staging .env.prod` ({_KEYS} keys), whole process",
            ours=Contender(
                name="parity diff", run=partial(start, [script, "diff", *files], 1), answer=_named
            ),
            rivals=(
                Contender(name="python -c pass", run=partial(start, [sys.executable, "-c", "pass"], 0)),
                Contender(
                    name="import deepdiff", run=partial(start, [sys.executable, "-c", "import deepdiff"], 0)
                ),
                Contender(
                    name="DeepDiff by hand",
                    run=partial(start, [sys.executable, "-c", _BY_HAND, *files], 0),
                    answer=_named,
                ),
            ),
            goals=(Limit(figure="wall", most=0.35),),
        )


def _files(folder: Path) -> list[str]:
    keys = [f"SETTING_{number:02}" for number in range(_KEYS)]
    for name, lacks in ((".env.staging", 3), (".env.prod", 17)):
        lines = [f"{key}={name}-{number}\n" for number, key in enumerate(keys) if number != lacks]
        (folder / name).write_text("".join(lines))
    return [".env.staging", ".env.prod"]


def _run(command: list[str], expected: int, *, folder: str, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != expected:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def _named(printed: str) -> dict[str, str]:
    """Return the keys that the output names, which are those that differ."""
    return {key: "differs" for number in range(_KEYS) if (key := f"SETTING_{number:02}") in printed}

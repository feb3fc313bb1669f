"""A repository of one commit that is always the same, served on this machine for tools to lock."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

PORT = 47_123
ADDRESS = f"http://127.0.0.1:{PORT}/shop.git"
#: For tools whose own git does not speak to a plain web server.
DAEMON = f"git://127.0.0.1:{PORT + 1}/shop.git"
COMMIT = "e8078d44054dee321ed8559e1098f64d925e4a9f"
FILES = {
    "package.json": '{"name": "shop", "version": "1.4.2"}\n',
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1.4.2"\ndescription = "A shop."\n'
    'requires-python = ">=3.8"\n'
    '[build-system]\nrequires = ["flit-core"]\nbuild-backend = "flit_core.buildapi"\n',
    "shop.py": '"""A shop."""\n__version__ = "1.4.2"\n',
}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def served() -> Iterator[None]:
    """Serve the repository at ADDRESS."""
    with tempfile.TemporaryDirectory() as home:
        work, bare = Path(home) / "shop", Path(home) / "shop.git"
        work.mkdir()
        for name, text in FILES.items():
            (work / name).write_text(text)
        who = {
            f"GIT_{role}_{what}": "a@b.example"
            for role in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        when = {f"GIT_{role}_DATE": "2026-01-01T00:00:00Z" for role in ("AUTHOR", "COMMITTER")}
        for command in (
            "git init -q -b main",
            "git add .",
            "git commit -q -m one",
            f"git clone -q --bare . {bare}",
            f"git --git-dir={bare} update-server-info",
        ):
            subprocess.run(command.split(), cwd=work, env=os.environ | who | when, check=True)
        commit = (
            (bare / "refs/heads/main").read_text().strip()
            if (bare / "refs/heads/main").exists()
            else ((bare / "packed-refs").read_text().split()[-2])
        )
        if commit != COMMIT:
            raise SystemExit(f"the commit is {commit}: write that one down")
        server = ThreadingHTTPServer(("127.0.0.1", PORT), partial(_Quiet, directory=home))
        thread = Thread(target=server.serve_forever)
        thread.start()
        daemon = subprocess.Popen(
            [
                "git",
                "daemon",
                "--export-all",
                "--listen=127.0.0.1",
                f"--port={PORT + 1}",
                f"--base-path={home}",
            ]
        )
        try:
            yield
        finally:
            daemon.terminate()
            daemon.wait()
            server.shutdown()
            thread.join()
            server.server_close()

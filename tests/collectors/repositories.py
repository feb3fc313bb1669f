"""Small git repositories, made by the real program with made-up people."""

import os
import subprocess
from pathlib import Path

#: Nothing of this machine's own configuration has a say, and every commit has its second.
_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@shop.example",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@shop.example",
}


class Code:
    """One repository with a file that commits change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str, author: str | None = None) -> str:
        environment = dict(_ENVIRONMENT)
        if author:
            environment |= {"GIT_AUTHOR_NAME": author, "GIT_AUTHOR_EMAIL": f"{author.lower()}@shop.example"}
        done = subprocess.run(
            ["git", *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, text: str, *, author: str | None = None) -> str:
        """Change the file, commit it and return the commit."""
        (self.folder / "app.py").write_text(f"{text}\n")
        self.git("add", "app.py")
        self.git("commit", "-q", "-m", text, author=author)
        return self.git("rev-parse", "HEAD")

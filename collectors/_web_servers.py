"""Which server a command line starts: a word of a closed list, of the words of the command, never itself."""

from collections.abc import Iterator, Sequence
from typing import Final

from collectors._containers import SHELLS_AND_INITS, unwrapped

#: What only starts what comes behind it.
_WRAPPERS: Final = SHELLS_AND_INITS | {"exec", "--", "-m", "npx", "bundle", "poetry", "pipenv", "uv", "run"}
_PYTHON: Final = "python"
_BETWEEN_COMMANDS: Final = frozenset({"&&", "||", ";", "|", "&"})
_RELOAD: Final = frozenset({"--reload"})
_NONE: Final = frozenset[str]()
#: (what runs, words one of which must follow) -> the server. The first that fits is taken.
_SERVERS: Final[tuple[tuple[str, frozenset[str], str], ...]] = (
    ("flask", frozenset({"run"}), "flask-development"),
    ("manage.py", frozenset({"runserver", "runserver_plus"}), "django-runserver"),
    ("django-admin", frozenset({"runserver"}), "django-runserver"),
    ("fastapi", frozenset({"dev"}), "fastapi-development"),
    ("fastapi", frozenset({"run"}), "uvicorn"),
    ("uvicorn", _RELOAD, "uvicorn-reload"),
    ("gunicorn", _RELOAD, "gunicorn-reload"),
    ("hypercorn", _RELOAD, "hypercorn-reload"),
    ("http.server", _NONE, "python-http-server"),
    ("next", frozenset({"dev"}), "next-development"),
    ("next", frozenset({"start"}), "next"),
    ("nuxt", frozenset({"dev"}), "nuxt-development"),
    ("astro", frozenset({"dev"}), "astro-development"),
    ("vite", frozenset({"build", "optimize"}), ""),
    ("vite", _NONE, "vite"),
    ("webpack-dev-server", _NONE, "webpack-dev-server"),
    ("webpack", frozenset({"serve"}), "webpack-dev-server"),
    ("ng", frozenset({"serve"}), "angular-development"),
    ("react-scripts", frozenset({"start"}), "react-scripts"),
    ("nodemon", _NONE, "nodemon"),
    ("ts-node-dev", _NONE, "ts-node-dev"),
    *((tool, frozenset({"dev"}), "development-script") for tool in ("npm", "yarn", "pnpm", "bun")),
    ("php", frozenset({"-S"}), "php-builtin"),
    ("php", frozenset({"serve"}), "laravel-development"),
    ("symfony", frozenset({"serve", "server:start"}), "symfony-development"),
    ("rails", frozenset({"development", "--environment=development"}), "rails-development"),
    ("jekyll", frozenset({"serve", "server"}), "jekyll-development"),
    ("hugo", frozenset({"serve", "server"}), "hugo-development"),
    ("dotnet", frozenset({"watch"}), "dotnet-watch"),
    ("waitress-serve", _NONE, "waitress"),
    *(
        (name, _NONE, name)
        for name in (
            *("gunicorn", "uvicorn", "hypercorn", "daphne", "uwsgi", "granian", "puma", "unicorn", "node"),
            *("php-fpm", "nginx", "caddy", "httpd", "apache2-foreground"),
        )
    ),
)


def web_server(argv: Sequence[str]) -> str | None:
    """Return the server that a command line starts, the last one where it runs several commands, or None."""
    found = [server for words in _commands(unwrapped(argv)) if (server := _server(words))]
    return found[-1] if found else None


def _commands(words: Sequence[str]) -> Iterator[Sequence[str]]:
    command: list[str] = []
    for word in words:
        if word in _BETWEEN_COMMANDS:
            yield command
            command = []
        else:
            command.append(word)
    yield command


def _server(words: Sequence[str]) -> str | None:
    names = [word.rpartition("/")[2] for word in words]
    while names and (names[0] in _WRAPPERS or names[0].endswith(".sh") or _is_python(names[0])):
        del names[0]
    if not names:
        return None
    following = set(names[1:])
    for program, needed, server in _SERVERS:
        if names[0] == program and (not needed or needed & following):
            return server or None
    return None


def _is_python(name: str) -> bool:
    return name.startswith(_PYTHON) and f"0{name.removeprefix(_PYTHON)}".replace(".", "0").isdecimal()

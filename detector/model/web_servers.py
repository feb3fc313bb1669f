"""Servers for development, as collectors call what a command starts: a closed list, never a command."""

from typing import Final

#: Servers whose makers say that they are for development: they reload code, show traces, or serve one request
#: at a time.
# fmt: off
DEVELOPMENT: Final = frozenset({
    "flask-development", "django-runserver", "fastapi-development", "uvicorn-reload", "gunicorn-reload",
    "hypercorn-reload", "python-http-server", "next-development", "nuxt-development", "astro-development",
    "vite", "webpack-dev-server", "angular-development", "react-scripts", "nodemon", "ts-node-dev",
    "development-script", "php-builtin", "laravel-development", "symfony-development", "rails-development",
    "jekyll-development", "hugo-development", "dotnet-watch",
})
# fmt: on

"""The server that a command starts, of a closed list."""

import pytest

from collectors._web_servers import web_server
from detector.model.web_servers import DEVELOPMENT


@pytest.mark.parametrize(
    ("command", "server"),
    [
        ("flask --app shop run --host 0.0.0.0", "flask-development"),
        ("python -m flask run", "flask-development"),
        ("/usr/bin/python3.12 manage.py runserver 0.0.0.0:8000", "django-runserver"),
        ("poetry run uvicorn shop:app --reload", "uvicorn-reload"),
        ("docker-entrypoint.sh npm run dev", "development-script"),
        ("npx next dev", "next-development"),
        ("php -S 0.0.0.0:80 -t public", "php-builtin"),
        ("php artisan serve", "laravel-development"),
        ("bundle exec rails server -e development", "rails-development"),
        ("tini -- vite --host", "vite"),
    ],
)
def test_a_server_for_development_is_known_by_the_words_of_its_command(command: str, server: str) -> None:
    assert web_server(command.split()) == server
    assert web_server(["sh", "-c", f"exec {command}"]) == server
    assert server in DEVELOPMENT


@pytest.mark.parametrize(
    ("command", "server"),
    [
        ("gunicorn shop.wsgi", "gunicorn"),
        ("uvicorn shop:app --workers 4", "uvicorn"),
        ("next start", "next"),
        ("bundle exec puma", "puma"),
        ("node server.js", "node"),
        ("python manage.py migrate && gunicorn shop.wsgi", "gunicorn"),  # what runs in the end
        ("bundle exec rails server", None),  # its environment decides what that is
        ("python manage.py migrate", None),
        ("flask db upgrade", None),
        ("vite build", None),
        ("worker --password=flask run", None),
        ("", None),
    ],
)
def test_of_any_other_command_nothing_is_said_but_a_known_server(command: str, server: str | None) -> None:
    assert web_server(command.split()) == server
    assert server not in DEVELOPMENT

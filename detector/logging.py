"""Logs: one event a line on stderr, as JSON where nobody watches, readable on a terminal."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog


def configure(*, level: int = logging.INFO) -> None:
    """Set up structured logs for this process. Control characters never reach the terminal or the line."""
    watched = sys.stderr.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if watched else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_control_characters,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries may put addresses, headers or statements into their logs: only their errors, and no text of
    # theirs below that.
    logging.basicConfig(level=logging.ERROR, format="%(name)s %(levelname)s %(message)s", stream=sys.stderr)


def _without_control_characters(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {
        key: "".join(character if character.isprintable() else "�" for character in value)
        if isinstance(value, str)
        else value
        for key, value in event.items()
    }

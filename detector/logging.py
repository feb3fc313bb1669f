"""Logs: one event a line on stderr, as JSON where nobody watches, readable on a terminal."""

import logging
import sys
from collections.abc import MutableMapping
from pathlib import PurePath
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
    logging.basicConfig(level=logging.ERROR, handlers=[Reduced()])


class Reduced(logging.Handler):
    """Tells which library reports which error, and where: its text may hold an address or a statement."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger("parity.libraries").error(
            "a library reports an error",
            library=record.name,
            error=type(error).__name__ if error is not None else None,
            at=place_of(error) if error is not None else f"{record.filename}:{record.lineno}",
        )


def place_of(error: BaseException) -> str:
    """Return file and line of where an error was raised: never its text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""


def _without_control_characters(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {
        key: "".join(character if character.isprintable() else "�" for character in value)
        if isinstance(value, str)
        else value
        for key, value in event.items()
    }

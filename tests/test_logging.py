import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from detector.logging import Reduced, configure

SECRET = "postgresql://parity:hunter2@db/parity"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    before = structlog.get_config()
    configure()
    found = io.StringIO()
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(file=found), cache_logger_on_first_use=False
    )
    yield found
    structlog.configure(**before)


def fails() -> None:
    raise RuntimeError(SECRET)


def test_an_error_of_a_library_is_told_without_its_text(lines: io.StringIO) -> None:
    library = logging.getLogger("another.package")
    library.propagate = False
    library.addHandler(Reduced())
    try:
        fails()
    except RuntimeError:
        library.exception("no answer of %s", SECRET)
    library.error(SECRET)
    raised, said = map(json.loads, lines.getvalue().splitlines())
    assert SECRET not in lines.getvalue()
    assert (raised["library"], raised["error"], said["error"]) == ("another.package", "RuntimeError", None)
    assert raised["at"] == f"test_logging.py:{fails.__code__.co_firstlineno + 1}"

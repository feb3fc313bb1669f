"""What strangers answer: whatever it is, a collector of config says what it made of it or why it cannot."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors._actuator_facts import config_from_env, sections_from_info, services_from_health
from collectors.consul import config_from_kv
from collectors.ofrep import config_from_flags
from collectors.readers._keys import Keys
from collectors.readers.settings import is_setting
from collectors.readers.settingsfiles.exports import flat
from collectors.vault import is_deleted
from detector.errors import UnseenError
from tests.collectors.lent import FINGERPRINTER

NOW = datetime(2026, 11, 22, tzinfo=UTC)
#: Names that mean something somewhere, so that an answer is wrong below the first level too.
WORDS = st.sampled_from(
    [
        *("propertySources", "name", "properties", "systemEnvironment", "value", "a.b", "PATH", "A-B", "x y"),
        *(
            "git",
            "commit",
            "id",
            "commit.id",
            "full",
            "remote.origin.url",
            "build",
            "version",
            "java",
            "time",
        ),
        *("components", "details", "db", "redis", "status", "database", "Key", "Value", "key", "computed"),
        *("flags", "variant", "errorCode", "current_version", "versions", "1", "deletion_time", "secrets"),
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
ANSWERS = st.recursive(
    SCALARS | WORDS | st.sampled_from(["MQ==", "******", "2026-11-22T00:00:00", "1"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


def _keys() -> Keys:
    return Keys(fingerprinter=FINGERPRINTER, valid=is_setting)


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda answer: config_from_env(answer, _keys(), ()), id="env"),
        pytest.param(sections_from_info, id="info"),
        pytest.param(services_from_health, id="health"),
        pytest.param(lambda answer: config_from_kv(answer, _keys(), "a"), id="consul"),
        pytest.param(lambda answer: config_from_flags(answer, _keys()), id="ofrep"),
        pytest.param(lambda answer: is_deleted({"versions": answer, "current_version": 1}, NOW), id="vault"),
        pytest.param(flat, id="exports"),
    ],
)
@given(answer=ANSWERS)
def test_no_answer_ends_in_a_traceback(read: Callable[[Any], object], answer: Any) -> None:
    with suppress(UnseenError):
        read(answer)


def test_a_time_without_a_zone_is_no_time() -> None:
    newest = {"1": {"deletion_time": "2026-11-22T00:00:00"}}
    with pytest.raises(UnseenError, match="no time"):
        is_deleted({"versions": newest, "current_version": 1}, NOW)

"""The JSON Schema says what the file may hold, as an editor needs it."""

import json
from typing import Any

import pytest

from detector.config.schema import json_schema


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json.loads(json.dumps(json_schema()))  # type: ignore[no-any-return]


def test_only_version_and_environments_are_a_must(schema: dict[str, Any]) -> None:
    assert schema["required"] == ["version", "environments"]
    assert schema["additionalProperties"] is False
    assert schema["patternProperties"] == {"^x-": True}


def test_a_secret_is_also_described_as_a_file(schema: dict[str, Any]) -> None:
    assert {"database_url", "database_url_file"} <= schema["$defs"]["Server"]["properties"].keys()
    assert "client_secret_file" in schema["$defs"]["Oidc"]["properties"]


def test_defaults_are_shown_as_people_write_them(schema: dict[str, Any]) -> None:
    defaults = schema["$defs"]["Defaults"]["properties"]
    assert (defaults["timeout"]["default"], defaults["valid"]["default"]) == ("30s", "3 runs")
    assert schema["$defs"]["Retention"]["properties"]["history"]["default"] == "2y"
    server = schema["properties"]["server"]["default"]
    assert (server["retention"]["messages"], server["database_url"]) == ("90d", "sqlite:///parity.db")


def test_names_are_those_of_the_file(schema: dict[str, Any]) -> None:
    assert "continue" in schema["$defs"]["Route"]["properties"]
    assert "for" in schema["$defs"]["AllowedEntry"]["properties"]
    assert "goes_on" not in json.dumps(schema)


def test_options_of_plugins_are_left_open(schema: dict[str, Any]) -> None:
    assert schema["$defs"]["SourceEntry"]["additionalProperties"] is True
    assert schema["$defs"]["ReceiverEntry"]["additionalProperties"] is True

"""Rules of the file: they may say all that the shipped ones say, and what makes no sense is told of."""

from typing import Any

import pytest
import yaml

from detector.config.show import rules_text
from detector.engine.pack import PACK
from detector.errors import ConfigError
from tests.config.conftest import HEAD, Load


def test_every_shipped_rule_may_stand_in_the_file_as_it_is_printed(load_text: Load) -> None:
    config = load_text(HEAD + rules_text(PACK))
    assert config.warnings == ()
    assert [(rule.match, rule.outcome) for rule in config.rules] == [(one.match, one.outcome) for one in PACK]


def test_two_rules_of_one_line_have_names_of_their_own(load_text: Load) -> None:
    one = "{match: {section: logs}, ignore: true}"
    names = [rule.name for rule in load_text(f"{HEAD}rules: [{one}, {one}]\n").rules]
    assert len(set(names)) == 2
    assert names[1].startswith(names[0])


def warned(load_text: Load, match: dict[str, Any]) -> list[str]:
    rule = yaml.safe_dump([{"match": match, "severity": "low"}], default_flow_style=True, width=1000)
    return list(load_text(f"{HEAD}rules: {rule}").warnings)


@pytest.mark.parametrize(
    ("match", "why"),
    [
        ({"section": "config", "item": "image#tag"}, "match.item: stands in section release"),
        ({"section": "release", "item": "*#version"}, "match.item: stands in section backing_services"),
        ({"section": "config", "item": "migration/*"}, "match.item: stands in section admin"),
        (
            {"section": "release", "kind": "shared_secret"},
            "match.kind: shared_secret is found in config alone",
        ),
        ({"section": "config", "scope": "dev"}, "match.scope: only dependencies has it"),
        ({"section": "dependencies", "read": "unread"}, "match.read: only config has it"),
        ({"section": "config", "product": "mysql"}, "match.product: only backing_services has it"),
        (
            {"status": "left_only", "direction": "right_ahead"},
            "match.direction: what is left_only has another",
        ),
        ({"kind": "floating", "comparison": "dev..prod"}, "match.comparison: floating is found inside one"),
    ],
)
def test_what_contradicts_itself_never_matches_and_is_said_with_its_place(
    load_text: Load, match: dict[str, Any], why: str
) -> None:
    (warning,) = warned(load_text, match)
    assert why in warning


@pytest.mark.parametrize(
    "match",
    [
        {"section": ["config", "release"], "item": "image#tag"},
        {"section": "config", "item": "*"},
        {"section": "dependencies", "item": "*urllib3"},
        {"section": "config", "kind": ["shared_secret", "difference"]},
        {"section": "config", "scope": "runtime"},
        {"status": ["left_only", "changed"], "direction": "right_ahead"},
        {"kind": "floating", "comparison": "prod"},
        {"basis": "running", "left_tier": ["development", "staging"], "managed": False},
    ],
)
def test_what_makes_sense_needs_no_word(load_text: Load, match: dict[str, Any]) -> None:
    assert warned(load_text, match) == []


@pytest.mark.parametrize("outcome", ["ignore: true", "expect: any"])
@pytest.mark.parametrize("match", ["{}", "{item: '*'}"])
def test_what_hides_everything_is_refused(load_text: Load, match: str, outcome: str) -> None:
    with pytest.raises(ConfigError, match="hides everything"):
        load_text(f"{HEAD}rules: [{{match: {match}, {outcome}}}]\n")


def test_a_basis_or_a_tier_is_no_everything(load_text: Load) -> None:
    assert load_text(f"{HEAD}rules: [{{match: {{basis: declared}}, ignore: true}}]\n").rules

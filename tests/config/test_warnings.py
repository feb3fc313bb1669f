"""What is allowed, though whoever starts Parity shall know of it; and what needs no word at all."""

import pytest

from tests.config.conftest import CANARY, HEAD, Load, source


def test_what_is_risky_but_accepted_is_warned_of_at_each_start(load_text: Load) -> None:
    config = load_text(source("{type: docker, verify_tls: false, allow_insecure: true}"))
    (warning,) = config.warnings
    assert "7:38: services[0].sources.prod[0].verify_tls" in warning


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("match: {comparison: 'x*..prod'}, ignore: true", "matches no comparison"),
        ("match: {item: '(a+)+$[x]'}, ignore: true", "only * is special"),
        ("match: {section: config, item: 'pkg:pypi/*'}, ignore: true", "stands in section dependencies"),
    ],
)
def test_a_rule_that_can_never_match_is_warned_of(load_text: Load, rule: str, why: str) -> None:
    (warning,) = load_text(f"{HEAD}rules: [{{{rule}}}]\n").warnings
    assert why in warning


def test_a_discovery_may_bring_services_that_the_file_does_not_name(load_text: Load) -> None:
    text = "services: [{name: db, used_by: [web]}, {discover: {type: docker, environment: dev}}]\n"
    assert load_text(f"{HEAD}{text}rules: [{{match: {{service: web}}, ignore: true}}]\n").rules


def test_free_keys_stand_wherever_a_mapping_is_ours(load_text: Load) -> None:
    text = f"""\
version: 1
x-anything: {{a: [{CANARY}], b: "${{NOWHERE}}"}}
environments: [{{name: dev, x-color: green}}]
services: [{{name: shop, x-team: a, sources: {{x-note: a, dev: {{type: push, x-note: b}}}}}}]
alerting: {{receivers: [{{name: a, x-b: c, slack: {{channel: C, x-d: e}}}}]}}
"""
    config = load_text(text)
    assert len(config.sources) == len(config.receivers) == 1


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("alerting: {renotify_after: 3d}", "3:28: alerting.renotify_after"),
        ("comparisons: [{left: dev, right: prod, alert: digest}]", "3:47: comparisons[0].alert"),
    ],
)
def test_what_nothing_acts_on_yet_is_warned_of(load_text: Load, text: str, where: str) -> None:
    (warning,) = load_text(f"{HEAD}{text}\n").warnings
    assert f"{where}: nothing acts on this yet" in warning

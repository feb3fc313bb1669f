"""What is wrong in parity.yml is named by place and remedy, all at once, and no value is ever repeated."""

from pathlib import Path

import pytest

from detector.errors import ConfigError
from tests.config.conftest import CANARY, HEAD, Load, Refuse, pointed, source, told

#: Code, path, and the file after its head; ¦ is where the problem must point.
TOP = [
    ("config-duplicate-key", "version", "¦version: CANARY"),
    ("config-unknown-key", "slak", "¦slak: CANARY"),
    (
        "config-semantics",
        "version",
        "version: ¦2\nenvironments: [{name: dev}]",
    ),
    # what YAML 1.1 would silently turn into False, a sixty-based number, 1.1 or a date
    ("config-type", "environments[0].tier", "version: 1\nenvironments: [{name: dev, tier: ¦no}]"),
    (
        "config-type",
        "environments[0].name",
        "version: 1\nenvironments: [{name: ¦true}]",
    ),
    (
        "config-type",
        "environments[0].name",
        "version: 1\nenvironments: [{name: ¦1.10}]",
    ),
    ("config-type", "defaults.every", "defaults: {every: ¦5}"),
    ("config-range", "defaults.every", "defaults: {every: ¦0s}"),
    ("config-type", "defaults.every", "defaults: {every: ¦-1m}"),
    ("config-range", "defaults.every", "defaults: {every: ¦1y}"),
    ("config-type", "defaults.every", "defaults: {every: ¦5 minuts}"),
    ("config-range", "defaults.timeout", "defaults: {timeout: ¦11m}"),
    ("config-range", "defaults.valid", "defaults: {valid: ¦0 runs}"),
    ("config-schedule", "defaults.cron", 'defaults: {cron: ¦"* * * *"}'),
    ("config-schedule", "defaults.cron", 'defaults: {cron: ¦"0 6 * * CANARY"}'),
    ("config-schedule", "defaults.cron", 'defaults: {cron: ¦"0 0 31 2 *"}'),
    # crontab takes either day, APScheduler both: nobody can tell
    ("config-schedule", "defaults.cron", 'defaults: {cron: ¦"0 0 1 * 1"}'),
    ("config-schedule", "defaults.timezone", "defaults: {timezone: ¦Mars/Phobos}"),
    ("config-schedule", "defaults.timezone", "defaults: {timezone: ¦../../etc/passwd}"),
    ("config-schedule", "defaults", 'defaults: ¦{every: 5m, cron: "0 6 * * *"}'),
    ("config-semantics", "environments", "version: 1\nenvironments: ¦[]"),
    ("config-semantics", "environments", "¦version: 1"),
    (
        "config-semantics",
        "environments[1].name",
        "version: 1\nenvironments:\n  - name: prod\n  - name: ¦prod",
    ),
    (
        "config-range",
        "environments[0].calendar.freeze[0]",
        "version: 1\nenvironments: [{name: dev, calendar: {freeze: [¦2026-02-02..2026-01-01]}}]",
    ),
    ("config-insecure", "server.listen", 'server: {listen: ¦"0.0.0.0:8080", auth: none}'),
    ("config-insecure", "server.listen", 'server: {listen: ¦"[::]:8080", auth: none}'),
    ("config-insecure", "server.listen", "server: {listen: ¦parity.internal:80, auth: none}"),
    (
        "config-semantics",
        "server.auth",
        "server: {auth: ¦{oidc: {issuer: https://id.example, client_id: a}}}",
    ),
    ("config-type", "server.public_url", "server: {public_url: ¦'https://a:CANARY@b'}"),
    ("config-type", "server.database_url", "server: {database_url: ¦mysql://db/parity}"),
    ("config-inline-secret", "server.database_url", "server: {database_url: ¦'postgresql://a:CANARY@b/c'}"),
    ("config-path", "server.data_dir", "server: {data_dir: ¦/}"),
    ("config-path", "accepted_drift[0]", "accepted_drift: [¦/proc/*/environ]"),
    # a group of one is more likely a slip than a group
    (
        "config-semantics",
        "environments[0].group",
        "version: 1\nenvironments: [{name: prod, group: ¦prd}]\ngroups: {prod: {}}",
    ),
    ("config-semantics", "comparisons[0].left", "comparisons: [{left: ¦CANARY, right: prod}]"),
    ("config-semantics", "comparisons[0]", "comparisons: [¦{left: dev, right: dev}]"),
    ("config-semantics", "comparisons[0]", "comparisons: [¦{left: prod, right: dev}]"),
    (
        "config-semantics",
        "comparisons[1]",
        "comparisons: [{left: dev, right: prod}, ¦{left: dev, right: prod}]",
    ),
    ("config-interpolation", "server.public_url", "server: {public_url: ¦'${NOWHERE}'}"),
    ("config-interpolation", "server.public_url", "server: {public_url: ¦'${A:-${B}}'}"),
    # what a variable brings is text, whatever it looks like
    ("config-type", "server.public_url", "server: {public_url: ¦'${A}'}"),
    ("config-interpolation", "server.public_url", "server: {public_url: ¦'${}'}"),
]
SERVICES_RULES_RECEIVERS = [
    (
        "config-semantics",
        "services[0].sources.prod[1]",
        "services: [{name: shop, sources: {prod: [{type: push}, ¦{type: push}]}}]",
    ),
    ("config-semantics", "services[1].was[0]", "services: [{name: a}, {name: b, was: [¦a]}]"),
    ("config-semantics", "services[0].used_by[0]", "services: [{name: a, used_by: [¦b]}]"),
    ("config-semantics", "services[0].only_in[0]", "services: [{name: a, only_in: [¦prd]}]"),
    ("config-semantics", "services[0].sources.prd", "services: [{name: a, sources: {¦prd: {type: push}}}]"),
    ("config-semantics", "services[0].discover", "services: [{discover: ¦{type: docker}}]"),
    (
        "config-semantics",
        "services[0].discover.environment",
        "services: [{discover: {type: docker, environment: ¦prd}}]",
    ),
    ("config-semantics", "rules[0]", "rules: [¦{match: {section: config}}]"),
    ("rule-too-broad", "rules[0]", "rules: [¦{match: {}, ignore: true}]"),
    ("rule-too-broad", "rules[0]", "rules: [¦{match: {item: '*', service: ['*']}, ignore: true}]"),
    (
        "config-semantics",
        "rules[0].match.comparison",
        "rules: [{match: {comparison: ¦dev..prd}, ignore: true}]",
    ),
    (
        "config-semantics",
        "rules[0].match.service",
        "services: [{name: shop}]\nrules: [{match: {service: ¦shp}, ignore: true}]",
    ),
    ("config-type", "rules[0].match.section", "rules: [{match: {section: ¦confg}, ignore: true}]"),
    ("config-semantics", "rules[0].expect.only[0]", "rules: [{match: {item: A}, expect: {only: [¦prd]}}]"),
    ("config-type", "rules[0].severity", "rules: [{match: {item: A}, severity: ¦grave}]"),
    ("config-range", "rules[0].match.item", f"rules: [{{match: {{item: ¦{'a' * 10_000}}}, ignore: true}}]"),
    ("config-semantics", "alerting.receivers[0]", "alerting: {receivers: [¦{name: a}]}"),
    ("config-plugin", "alerting.receivers[0].slak", "alerting: {receivers: [{name: a, ¦slak: {}}]}"),
    (
        "config-inline-secret",
        "alerting.receivers[0].slack.bot_token",
        "alerting: {receivers: [{name: a, slack: {channel: C, bot_token: ¦CANARY}}]}",
    ),
    ("config-semantics", "alerting.routes[0].to", "alerting: {routes: [{match: {}, to: ¦audti}]}"),
    ("config-semantics", "alerting.platform", "alerting: {platform: ¦audit}"),
    (
        "config-type",
        "alerting.routes[0].match.severity",
        "alerting: {receivers: [{name: a, slack: {channel: C}}], routes: [{to: a, match: {severity: ¦h}}]}",
    ),
]
#: The same of one source of production, its path below that source.
SOURCES = [
    ("config-plugin", "type", "{type: ¦dokcer}"),
    ("config-semantics", "type", "¦{path: .env}"),
    ("config-unknown-key", "labl", "{type: docker, ¦labl: CANARY}"),
    ("config-semantics", "path", "¦{type: dotenv}"),
    ("config-type", "port", "{type: postgres, dsn: 'postgresql://db/a', port: ¦CANARY}"),
    ("config-type", "mode", "{type: postgres, dsn: 'postgresql://db/a', mode: ¦CANARY}"),
    ("config-type", "", "¦{type: web, url: 'http://CANARY/'}"),
    # this plugin repeats what it was given
    ("config-type", "", "¦{type: web, url: 'http://CANARY/', polite: false}"),
    ("config-inline-secret", "dsn", "{type: postgres, dsn: ¦'postgresql://a:CANARY@b/c'}"),
    ("config-inline-secret", "dsn", "{type: postgres, dsn: ¦'host=db password=CANARY'}"),
    (
        "config-inline-secret",
        "login.password",
        "{type: postgres, dsn: 'postgresql://b/c', login: {password: ¦CANARY}}",
    ),
    (
        "config-inline-secret",
        "headers.x-api-key",
        "{type: web, url: 'https://b', headers: {x-api-key: ¦CANARY}}",
    ),
    # the default of a variable stands in the file as well
    ("config-inline-secret", "dsn", "{type: postgres, dsn: ¦'${DSN:-postgresql://a:CANARY@b}'}"),
    ("config-insecure", "verify_tls", "{type: docker, verify_tls: ¦false}"),
    ("config-path", "path", "{type: dotenv, path: ¦/}"),
    ("config-path", "path", "{type: dotenv, path: ¦/proc/1/environ}"),
    ("config-path", "path", "{type: dotenv, path: ¦../..}"),
    ("config-semantics", "valid", "{type: push, valid: ¦3 runs}"),
    ("config-schedule", "cron", '{type: push, cron: ¦"0 6 * * *"}'),
]


def check(refuse: Refuse, text: str, code: str, path: str) -> None:
    whole, place = pointed(text)
    problems = refuse(whole, {"A": "${B}", "B": "${A}"})
    assert told(problems) == [(code, *place, path)]
    assert CANARY not in str(ConfigError(problems))


@pytest.mark.parametrize(("code", "path", "text"), [*TOP, *SERVICES_RULES_RECEIVERS])
def test_what_is_wrong_is_named_by_place_and_never_repeated(
    refuse: Refuse, code: str, path: str, text: str
) -> None:
    whole = "environments:" in text or text == "¦version: 1"
    check(refuse, text if whole else HEAD + text, code, path)


@pytest.mark.parametrize(("code", "path", "options"), SOURCES)
def test_what_is_wrong_in_a_source_is_named_by_place_and_never_repeated(
    refuse: Refuse, code: str, path: str, options: str
) -> None:
    path = f"services[0].sources.prod[0].{path}".removesuffix(".")
    check(refuse, source(options), code, path)


@pytest.mark.parametrize("text", ["server: {listen: 22:22}", 'server: {listen: "[::1]:8080", auth: none}'])
def test_what_only_looks_wrong_is_taken(load_text: Load, text: str) -> None:
    assert load_text(HEAD + text).server.port


SUGGESTIONS = [
    (HEAD + "servr: {}\n", "did you mean server?"),
    (HEAD + "server: {lissen: a}\n", "did you mean listen?"),
    (HEAD + "server: {database_url_fil: a}\n", "did you mean database_url_file?"),
    (HEAD.replace("tier", "teir"), "did you mean tier?"),
    (HEAD + "comparisons: [{left: dve, right: prod}]\n", "did you mean dev?"),
    (source("{type: dokcer}"), "did you mean docker?"),
    (source("{type: psh}"), "did you mean push?"),
    (source("{type: docker, hots: a}"), "did you mean host?"),
    # a key of the host, not of the plugin
    (source("{type: docker, evry: 5m}"), "did you mean every?"),
    (source("{type: postgres, dsnfile: a}"), "did you mean dsn_file?"),
    (HEAD + "rules: [{match: {sectoin: config}, ignore: true}]\n", "did you mean section?"),
    (HEAD + "alerting: {routes: [{match: {}, to: a, contine: true}]}\n", "did you mean continue?"),
    # nothing near: what is known is listed
    (HEAD + "alerting: {receivers: [{name: a, telex: {}}]}\n", "(known: slack, webhook)"),
]


@pytest.mark.parametrize(("text", "expected"), SUGGESTIONS)
def test_a_near_miss_gets_a_suggestion(refuse: Refuse, text: str, expected: str) -> None:
    assert expected in str(ConfigError(refuse(text)))


def test_a_form_is_said_in_the_words_of_its_description(refuse: Refuse) -> None:
    (problem,) = refuse(HEAD + f"alerting: {{receivers: [{{name: a, slack: {{channel: {CANARY}}}}}]}}\n")
    assert str(problem).endswith("alerting.receivers[0].slack.channel: Id of the channel, not its name.")


def test_all_problems_are_told_at_once_in_the_order_of_the_file(refuse: Refuse) -> None:
    text = """\
version: 1
server: {listen: nowhere, publik_url: a}
environments:
  - {name: Dev}
  - {name: prod, tier: production}
services:
  - name: shop
    sources:
      prod:
        - {type: dotenv, path: /, evry: 5m}
        - {type: docker, every: 5, verify_tls: false}
rules:
  - {match: {section: confg}, ignore: true}
  - {match: {}, ignore: true}
alerting:
  routes: [{match: {}, to: nobody}]
"""
    assert told(refuse(text)) == [
        ("config-type", 2, 18, "server.listen"),
        ("config-unknown-key", 2, 27, "server.publik_url"),
        ("config-type", 4, 12, "environments[0].name"),
        ("config-unknown-key", 10, 35, "services[0].sources.prod[0].evry"),
        ("config-type", 11, 33, "services[0].sources.prod[1].every"),
        ("config-insecure", 11, 48, "services[0].sources.prod[1].verify_tls"),
        ("config-type", 13, 23, "rules[0].match.section"),
        ("rule-too-broad", 14, 5, "rules[1]"),
        ("config-semantics", 16, 28, "alerting.routes[0].to"),
    ]


def test_a_problem_reads_as_place_path_message_and_suggestion(refuse: Refuse, project: Path) -> None:
    (problem,) = refuse(HEAD + "slak: x\n")
    assert str(problem).startswith(f"{project}/parity.yml:3:1: slak: unknown key")
    (double,) = refuse(HEAD + "version: 1\n")
    assert str(double).endswith("3:1: version: stands here and in line 1; keep one of them")

"""The whole of what a configuration may say, in one file that loads."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from detector.config.fields import Days, Validity
from detector.config.records import Config, Source
from detector.config.show import show
from detector.engine.rules import Allowance
from detector.errors import NotFoundError
from tests.config.conftest import Load

CANARY = "canary-7f3a91"
EXAMPLE = """\
version: 1
x-prod: &prod {region: eu-central-1}
server:
  listen: 127.0.0.1:8080
  public_url: ${PARITY_PUBLIC_URL:-http://localhost:8080}
  database_url: postgresql://parity:${PGPASSWORD}@db.internal/parity
  data_dir: .
  auth: token
  outgoing: {allow: ["proxy.internal:3128"]}
  retention: {history: 2y, messages: 90d}
defaults: {every: 15m, timeout: 30s, valid: 3 runs}
groups: {prod: {spread: flagged}}
environments:
  - {name: dev, tier: development, presence: intermittent}
  - {name: staging, tier: staging}
  - {name: prod-eu, tier: production, group: prod, calendar: {freeze: [2026-12-20..2027-01-02]}}
  - {name: prod-us, tier: production, group: prod}
comparisons:
  - {left: staging, right: prod-eu, gate: true}
  - {left: dev, right: staging, alert: digest}
services:
  - name: checkout
    owner: team-payments
    was: [orders]
    aliases: [orders-api]
    sources:
      dev:
        - {type: compose, path: docker-compose.yml}
        - {type: dotenv, path: .env}
        - {type: lockfile, path: uv.lock}
        - {type: reads, path: src/}
      staging: {type: docker, host: "tcp://socket-proxy:2375", label: com.docker.compose.service=checkout}
      prod-eu:
        - type: ecs
          <<: *prod
          cluster: prod
          service: checkout
          role_arn: "${PROD_ROLE_ARN}"
          cron: "0 6 * * 1-5"
        - {type: push, name: ci, valid: until_replaced}
  - name: search
  - name: shop-db
    kind: backing_service
    used_by: [checkout, search]
    only_in: [staging, prod-eu]
    sources:
      staging: [{type: postgres, dsn_file: secrets/staging_pg}]
      prod-eu: [{type: rds, region: eu-central-1, id: 0012}]
  - discover: {type: ecs, region: eu-central-1, cluster: prod, environment: prod-eu,
               service_from: {tag: service, strip: ["-prod"]}, ephemeral: ["pr-*"]}
  - discover: {type: docker, label: parity.enable=true, environment: dev, every: 1m}
  - discover: {type: file_sd, paths: [targets.d/*.yml]}
rules:
  - {match: {section: config, item: "*_URL"}, expect: presence}
  - {match: {section: dependencies, scope: dev}, ignore: true}
  - {match: {comparison: staging..prod-eu, section: release}, allow_ahead: 3d}
  - {match: {service: shop-db, item: "main#version"}, severity: {major: critical, minor: high}}
  - {match: {section: [config], item: STRIPE_*}, expect: {only: [prod-eu, prod-us]}, note: live keys}
alerting:
  confirm_after: 2 runs
  rollout: 30m
  platform: audit
  group_by: [comparison, owner]
  renotify_after: 3d
  receivers:
    - name: payments
      slack: {channel: C0PAYMENTS, bot_token_file: secrets/bot, signing_secret_file: secrets/sign}
    - {name: audit, webhook: {url: "https://hooks.example.org/parity", secret_file: secrets/hook}}
  routes:
    - {match: {severity: ">=low"}, to: audit, continue: true}
    - {match: {owner: team-payments, severity: ">=high"}, to: payments}
    - {match: {}, to: payments, digest: {cron: "0 9 * * 1", timezone: Europe/Berlin}}
accepted_drift: [accepted.d/*.yml]
"""


@pytest.fixture
def config(project: Path, load_text: Load) -> Config:
    folder = project / "secrets"
    folder.mkdir()
    for name in ("staging_pg", "bot", "sign", "hook"):
        secret = f"postgresql://app:{CANARY}@db/shop\n" if name == "staging_pg" else f"{CANARY}-{name}\n"
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    return load_text(
        EXAMPLE, {"PGPASSWORD": CANARY, "PROD_ROLE_ARN": "arn:aws:iam::000000000012:role/parity"}
    )


def sources_of(config: Config, environment: str, service: str | None) -> list[Source]:
    return [each for each in config.sources if (each.environment, each.service) == (environment, service)]


def test_the_server_is_read_with_its_secrets_and_defaults(config: Config, project: Path) -> None:
    assert (config.server.host, config.server.port) == ("127.0.0.1", 8080)
    assert config.server.public_url == "http://localhost:8080"
    assert config.database_url == f"postgresql://parity:{CANARY}@db.internal/parity"
    assert config.data_dir == project
    assert config.server.retention.history == timedelta(days=730)
    assert config.environment("prod-eu").calendar.freeze == (Days(date(2026, 12, 20), date(2027, 1, 2)),)


def test_a_source_takes_the_defaults_that_it_does_not_overrule(config: Config) -> None:
    compose, dotenv, *_ = sources_of(config, "dev", "checkout")
    assert (compose.name, compose.rank, dotenv.rank) == ("compose", 0, 1)
    assert (compose.every, compose.timeout) == (timedelta(minutes=15), timedelta(seconds=30))
    assert (compose.valid, compose.owner, compose.scheduled) == (Validity(runs=3), "team-payments", True)
    ecs, push = sources_of(config, "prod-eu", "checkout")
    assert (ecs.every, ecs.cron, ecs.timezone) == (None, "0 6 * * 1-5", "UTC")
    assert ecs.options.model_dump()["region"] == "eu-central-1"  # merged from x-prod
    assert ecs.options.model_dump()["role_arn"] == "arn:aws:iam::000000000012:role/parity"
    assert (push.name, push.valid, push.scheduled, push.polled) == ("ci", Validity(), False, False)


def test_one_source_needs_no_list(config: Config) -> None:
    (docker,) = sources_of(config, "staging", "checkout")
    assert docker.options.model_dump()["host"] == "tcp://socket-proxy:2375"


def test_a_secret_is_read_from_its_file_without_the_newline(config: Config) -> None:
    (postgres,) = sources_of(config, "staging", "shop-db")
    assert postgres.options.model_dump()["dsn"] == SecretStr(f"postgresql://app:{CANARY}@db/shop")


def test_a_text_option_keeps_the_digits_that_were_written(config: Config) -> None:
    (rds,) = sources_of(config, "prod-eu", "shop-db")
    assert rds.options.model_dump()["id"] == "0012"


def test_a_discovery_is_a_source_without_service(config: Config) -> None:
    (discovery,) = sources_of(config, "dev", None)
    assert discovery.discover is not None
    assert (discovery.type, discovery.every) == ("docker", timedelta(minutes=1))
    (cluster,) = [one for one in sources_of(config, "prod-eu", None) if one.type == "ecs"]
    assert (cluster.options.model_dump()["service_tag"], cluster.claimed) == (
        "service",
        frozenset({"checkout"}),
    )
    assert (cluster.name_of("search-prod"), cluster.name_of("pr-1-prod")) == ("search", "pr-1-prod")


def test_comparisons_stand_as_written(config: Config) -> None:
    assert [(each.name, each.gate, each.alert) for each in config.comparisons] == [
        ("staging..prod-eu", True, "now"),
        ("dev..staging", False, "digest"),
    ]
    assert config.comparison("dev..staging").peer is False
    with pytest.raises(NotFoundError, match=r"did you mean staging\.\.prod-eu"):
        config.comparison("staging..prod-us")


def test_rules_reach_the_engine_named_by_their_line(config: Config) -> None:
    first = EXAMPLE[: EXAMPLE.index("- {match: {section: config,")].count("\n") + 1
    assert [rule.name for rule in config.rules] == [f"parity.yml:{first + n}" for n in range(5)]
    url, scope, ahead, version, only = config.rules
    assert (url.match.item, url.outcome.expect) == (("*_URL",), "presence")
    assert (scope.match.scope, scope.outcome.ignore) == (("dev",), True)
    assert ahead.outcome.allow_ahead == Allowance(span=timedelta(days=3))
    assert version.outcome.severity == {"major": "critical", "minor": "high"}
    assert only.outcome.expect == ("prod-eu", "prod-us")


def test_receivers_and_routes_are_resolved(config: Config) -> None:
    payments, audit = config.receivers
    assert (payments.notifier, audit.notifier) == ("slack", "webhook")
    assert payments.options.model_dump()["bot_token"] == SecretStr(f"{CANARY}-bot")
    digest = config.alerting.routes[2].digest
    assert digest is not None
    assert digest.timezone == "Europe/Berlin"
    assert [route.goes_on for route in config.alerting.routes] == [True, False, False]


def test_what_is_shown_is_whole_and_holds_no_secret(config: Config) -> None:
    shown = json.dumps(show(config))
    assert CANARY not in shown
    assert CANARY not in repr(config)
    document = json.loads(shown)
    assert document["server"]["database_url"] == "postgresql://parity:***@db.internal/parity"
    assert document["services"][2]["sources"][0]["dsn"] == "***"
    assert document["services"][0]["sources"][0]["every"] == "15m"
    assert document["alerting"]["receivers"][0]["slack"]["bot_token"] == "***"
    assert document["environments"][2]["calendar"]["freeze"] == ["2026-12-20..2027-01-02"]
    assert document["rules"][2] == {
        "name": config.rules[2].name,
        "match": {"section": "release", "comparison": "staging..prod-eu"},
        "allow_ahead": "3d",
    }


def test_a_minimal_file_says_only_version_and_environments(load_text: Load, project: Path) -> None:
    config = load_text("version: 1\nenvironments: [{name: dev}, {name: prod}]\n")
    assert [comparison.name for comparison in config.comparisons] == ["dev..prod"]
    assert config.database_url == f"sqlite:///{project}/parity.db"
    assert config.data_dir == project
    assert config.warnings == ()

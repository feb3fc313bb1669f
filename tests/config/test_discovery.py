"""Discoveries: what they hand to their collectors, and what they know of the services beside them."""

from detector.config.policy import policy_of
from tests.config.conftest import HEAD, Load, Refuse

ORDERS = """\
services:
  - {name: orders, was: [shop-orders], aliases: [orders-api], sources: {dev: {type: docker, host: "tcp://e:1"}}}
"""


def test_a_discovery_knows_names_previews_and_what_is_not_its_own(load_text: Load) -> None:
    config = load_text(
        HEAD
        + ORDERS
        + "  - discover: {type: docker, host: 'tcp://e:1', environment: dev, ephemeral: ['pr-*'],"
        + " service_from: {label: name, strip: ['-dev']}}\n"
    )
    (_, found) = config.sources
    assert found.claimed == {"orders"}
    assert [found.name_of(name) for name in ("orders-api", "orders-api-dev", "shop-orders", "pr-1-dev")] == [
        "orders",
        "orders",
        "orders",
        "pr-1-dev",
    ]
    assert (found.options.service_label, found.options.ephemeral) == ("name", ("pr-*",))  # type: ignore[attr-defined]
    policy = policy_of(config)
    assert policy.is_ephemeral("dev", "pr-12")
    assert policy.name_of("shop-orders") == "orders"
    assert set(policy.trusted("anything", "dev")) == {"docker"}
    assert config.warnings == ()


def test_a_collector_that_names_services_otherwise_says_so(refuse: Refuse) -> None:
    text = "services:\n  - discover: {type: docker, environment: dev, service_from: {tag: app}}\n"
    (problem,) = refuse(HEAD + text)
    assert problem.message == "the collector docker does not name services by tag"

"""Names that are kept, and texts that stand as a name and are a secret."""

import pytest

from detector.model.key_names import looks_like_a_value


@pytest.mark.parametrize(
    "name",
    [
        "DATABASE_URL",
        "AWS_SECRET_ACCESS_KEY",
        "npm_config_cache_lock_stale",  # an npm prefix, and no token
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "spring.datasource.hikari.maximum-pool-size",
        "NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY",
        "K8S_NODE_IP4",
        "enableServerSideRendering",  # long and in two cases, without a digit
        "SHA256",
    ],
)
def test_a_name_that_people_give_is_a_name(name: str) -> None:
    assert not looks_like_a_value(name)


@pytest.mark.parametrize(
    "text",
    [
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "AKIAIOSFODNN7EXAMPLEQ1x2",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "MIIEpAIBAAKCAQEA7bq0Zk2uJw8QxLmPo3RtYhGfDs",
        "5f0c9a1be2d34f5a6b7c8d9e0f1a2b3c",
        "a" * 41,
    ],
)
def test_a_token_that_stands_as_a_name_is_a_value(text: str) -> None:
    assert looks_like_a_value(text)

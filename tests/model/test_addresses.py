"""Addresses without what they may smuggle, and repositories under one name however they are written."""

import pytest

from detector.model.addresses import repository_url, without_credentials


@pytest.mark.parametrize(
    ("address", "bare"),
    [
        ("https://user:canary@host:8443/path?token=canary#canary", "https://host:8443/path"),
        ("https://canary@host/x", "https://host/x"),
        ("git@host.internal:acme/shop.git", "host.internal:acme/shop.git"),
        ("ssh://git@host/x", "ssh://host/x"),
        ("./wheels/shop.whl", "./wheels/shop.whl"),
        ("https://host/a b", None),
        ("https://host/" + "x" * 600, None),
        ("", None),
    ],
)
def test_an_address_keeps_where_it_points_and_no_credential(address: str, bare: str | None) -> None:
    assert without_credentials(address) == bare


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://robot:canary@github.com/Acme/Checkout.git?x=canary#canary", "github.com/acme/checkout"),
        ("git@github.com:acme/checkout.git", "github.com/acme/checkout"),
        ("ssh://git@git.example:22/Acme/checkout/", "git.example/Acme/checkout"),  # case kept elsewhere
        ("github.com/acme/checkout", "github.com/acme/checkout"),
        ("https://git.example:8443/a/b", "git.example:8443/a/b"),
        ("", None),
        ("https://git.example", None),
        ("https://git.example/a b", None),
        ("http://[::1", None),
    ],
)
def test_a_repository_is_host_and_path(text: str, expected: str | None) -> None:
    assert repository_url(text) == expected

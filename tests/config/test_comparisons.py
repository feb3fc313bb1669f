"""Without a word on comparisons the promotion order says what is compared."""

import pytest

from tests.config.conftest import Load

ORDERS = [
    ("dev", ""),
    ("dev staging prod", "dev..staging staging..prod"),
    ("dev staging eu:prod us:prod", "dev..staging staging..eu staging..us eu=us"),
    # two stages of several: each member against each
    ("a:stage b:stage x:prod y:prod", "a..x a..y b..x b..y a=b x=y"),
    # a group is one stage, in the place of its first member
    ("eu:prod dev us:prod", "eu..dev us..dev eu=us"),
    ("a:t b:t c:t", "a=b a=c b=c"),
    # a group is not taken for an environment of its name
    ("prod eu:prod us:prod", "prod..eu prod..us eu=us"),
]


@pytest.mark.parametrize(("order", "expected"), ORDERS)
def test_neighbours_are_compared_and_members_of_a_group_are_peers(
    load_text: Load, order: str, expected: str
) -> None:
    environments = ""
    for word in order.split():
        name, _, group = word.partition(":")
        environments += f"  - {{name: {name}{f', group: {group}' if group else ''}}}\n"
    config = load_text(f"version: 1\nenvironments:\n{environments}")
    found = [f"{each.left}{'=' if each.peer else '..'}{each.right}" for each in config.comparisons]
    assert found == expected.split()


def test_a_written_comparison_of_two_members_is_one_of_peers(load_text: Load) -> None:
    environments = "[{name: eu, group: prod}, {name: us, group: prod}]"
    config = load_text(f"version: 1\nenvironments: {environments}\ncomparisons: [{{left: eu, right: us}}]\n")
    assert [(each.name, each.peer) for each in config.comparisons] == [("eu..us", True)]


def test_a_group_without_an_environment_is_warned_of_with_the_remedy(load_text: Load) -> None:
    environments = "[{name: eu, group: prod}, {name: us, group: prod}]"
    config = load_text(f"version: 1\nenvironments: {environments}\ngroups: {{prods: {{spread: allowed}}}}\n")
    (warning,) = config.warnings
    assert ":3:17: groups.prods: no environment is in this group (did you mean prod?): " in warning
    assert warning.endswith("give its members `group: prods` under environments, or remove it")


def test_an_empty_list_of_comparisons_compares_nothing(load_text: Load) -> None:
    text = "version: 1\nenvironments: [{name: dev}, {name: prod}]\ncomparisons: []\n"
    assert load_text(text).comparisons == ()

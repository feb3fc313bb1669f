"""The three gaps of factor X: time, tools, personnel."""

from dataclasses import dataclass
from datetime import timedelta

from detector.engine.equal import equal_items
from detector.engine.gaps import personnel_gap, time_gap, tools_gap
from detector.engine.promotion import Promotion, promotion_of
from detector.model.records import Judged
from tests.builders import PROD, STAGING, ago, compare, interval, section

DAY = timedelta(days=1)


def release(*steps: tuple[str, float, float | None]) -> Promotion:
    """A way from staging to prod: version, when staging had it, when prod did (days ago)."""
    histories = {
        name: [
            interval(version, ago(days=days), ago(days=following) if following is not None else None)
            for (version, days), following in zip(seen, [*(days for _, days in seen[1:]), None], strict=True)
        ]
        for name, seen in (
            ("staging", [(version, left) for version, left, _ in steps]),
            ("prod", [(version, right) for version, _, right in steps if right is not None]),
        )
    }
    return promotion_of(histories, (STAGING, PROD), item="image#tag")


def test_the_time_gap_is_over_all_services_and_names_what_waits_longest() -> None:
    promotions = {
        "shop": release(("1", 30, 30), ("2", 20, 18), ("3", 9, None)),
        "cart": release(("1", 30, 30), ("2", 12, 6), ("3", 4, None)),
    }
    gap = time_gap(promotions, "staging", "prod")
    assert (gap.arrived, gap.timed, gap.median, gap.waiting) == (2, 2, 4 * DAY, 2)
    assert gap.oldest is not None
    assert (gap.oldest[0], gap.oldest[1].since) == ("shop", ago(days=9))
    month = time_gap(promotions, "staging", "prod", since=ago(days=7))
    assert (month.arrived, month.median) == (1, 6 * DAY)
    assert time_gap(promotions, "dev", "prod").oldest is None


def everything(left: dict[str, str], right: dict[str, str]) -> list[Judged]:
    found = compare(
        {"dependencies": section(left)},
        {"dependencies": section(right)},
    )
    known = {judged.key for judged in found.items}
    return [*found.items, *equal_items(found.comparison, found.left, found.right, known=known, owner=None)]


def test_the_tools_gap_counts_runtimes_and_systems_and_no_packages() -> None:
    left = {"runtime#python": "3.12.8", "os#arch": "arm64", "os#release": "debian 12", "pkg:pypi/x": "1.0"}
    right = {"runtime#python": "3.12.8", "os#arch": "amd64", "os#release": "debian 12", "pkg:pypi/x": "2.0"}
    gap = tools_gap(everything(left, right))
    assert (gap.same, gap.unknown) == (2, 0)
    assert [judged.key.item for judged in gap.differ] == ["os#arch"]


def test_the_tools_gap_counts_servers_and_what_cannot_be_seen() -> None:
    found = compare(
        {"backing_services": section({"main#product": "postgresql", "main#version": "16.3"})},
        {
            "backing_services": section(
                {"main#product": "postgresql"}, status="partial", unseen=[("main#version", "denied")]
            )
        },
    )
    gap = tools_gap(found.items)
    assert (gap.unknown, gap.differ) == (1, ())


@dataclass(frozen=True)
class Deploy:
    actor: str | None = None
    commit: str | None = None
    service: str = "shop"


def test_the_personnel_gap_is_unknown_where_nobody_reports_it() -> None:
    assert personnel_gap([], {}).share is None
    gap = personnel_gap([Deploy(actor="ana"), Deploy(commit="c1")], {})
    assert (gap.deployments, gap.known, gap.share) == (2, 0, None)


def test_the_personnel_gap_is_the_share_of_deployments_by_an_author() -> None:
    authors = {("shop", "c1"): ["Ana", "ben"], ("shop", "c2"): ["ben"]}
    made = [
        Deploy(actor="ana", commit="c1"),
        Deploy(actor="ops", commit="c1"),
        Deploy(actor="BEN", commit="c2"),
        Deploy(actor="ben", commit="c3"),  # nobody knows who wrote it
        Deploy(actor="ben", commit="c2", service="cart"),  # a commit of another repository
    ]
    gap = personnel_gap(made, authors)
    assert (gap.deployments, gap.known, gap.by_author) == (5, 3, 2)

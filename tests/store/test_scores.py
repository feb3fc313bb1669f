"""The trend of scores: a row for each change."""

from detector.model.records import ScoreMark
from detector.store.register import Settlement
from detector.store.store import Store
from tests.store.seen import minute

PAIR = "staging..prod"


def mark(at: float, score: float | None, *, service: str = "checkout", **sections: float) -> ScoreMark:
    return ScoreMark(
        comparison=PAIR, service=service, at=minute(at), score=score, critical=False, sections=sections
    )


async def settle(store: Store, *marks: ScoreMark) -> None:
    for one in marks:
        await store.settle(
            [Settlement(comparison=one.comparison, service=one.service, judged_through=1, mark=one)]
        )


async def test_a_look_that_changed_nothing_leaves_no_row(store: Store) -> None:
    await settle(store, mark(0, 1.0, config=1.0), *(mark(at, 1.0, config=1.0) for at in range(1, 50)))
    assert await store.score_marks(PAIR, since=minute(0)) == [mark(0, 1.0, config=1.0)]


async def test_each_change_is_a_row_that_says_its_parts(store: Store) -> None:
    changes = [
        mark(0, 1.0, config=1.0),
        mark(5, 0.5, config=0.5),
        mark(6, 0.5, config=0.0, logs=1.0),
        mark(7, None),
    ]
    await settle(store, *changes)
    assert await store.score_marks(PAIR, since=minute(0)) == changes


async def test_the_last_row_before_the_time_asked_for_is_told_too(store: Store) -> None:
    await settle(
        store, mark(0, 1.0), mark(5, 0.5), mark(1, 0.8, service="search"), mark(9, 0.9, service="search")
    )
    found = await store.score_marks(PAIR, since=minute(8))
    assert [(one.service, one.score) for one in found] == [
        ("search", 0.8),
        ("checkout", 0.5),
        ("search", 0.9),
    ]
    only = await store.score_marks(PAIR, since=minute(8), service="search")
    assert [one.score for one in only] == [0.8, 0.9]
    assert await store.score_marks("dev..staging", since=minute(0)) == []


async def test_two_judgements_of_one_moment_are_one_row_and_an_earlier_one_is_none(store: Store) -> None:
    await settle(store, mark(5, 1.0), mark(5, 0.5), mark(4, 0.9))
    assert await store.score_marks(PAIR, since=minute(0)) == [mark(5, 0.5)]

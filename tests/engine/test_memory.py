"""What is kept stays within its bound of bytes, and the least recently used of it leaves first."""

from detector.engine.memory import Kept, size_of_view
from tests.builders import section, stream, view


def test_the_least_recently_used_leaves_first() -> None:
    kept: Kept[str, str] = Kept(300)
    assert [kept.put(name, name.upper(), size=100) for name in "abc"] == [False, False, False]
    assert kept.get("a") == "A"
    assert kept.put("d", "D", size=100)  # something had to leave
    assert list(kept) == ["c", "a", "d"]
    assert kept.get("b") is None
    assert kept.bytes == 300


def test_a_thing_in_place_of_another_counts_once() -> None:
    kept: Kept[str, int] = Kept(300)
    for size in (100, 250, 50):
        assert not kept.put("a", size, size=size)
    assert (kept.bytes, len(kept), kept.get("a")) == (50, 1, 50)
    kept.forget("a")
    kept.forget("nobody")
    assert (kept.bytes, len(kept)) == (0, 0)


def test_what_is_larger_than_the_bound_is_kept_alone() -> None:
    kept: Kept[str, int] = Kept(300)
    kept.put("small", 1, size=100)
    kept.put("large", 2, size=1000)
    assert list(kept) == ["large"]
    kept.put("small", 1, size=100)
    assert list(kept) == ["small"]
    kept.clear()
    assert (kept.bytes, list(kept)) == (0, [])


def test_a_view_is_as_large_as_what_was_seen() -> None:
    small, large = (
        view(stream({"dependencies": section({f"pkg:pypi/p-{number}": "1.0" for number in range(count)})}))
        for count in (10, 1000)
    )
    assert size_of_view(large) - size_of_view(small) == 990 * 128

"""The benchmarks run, in a small size; a wrong result turns them red; no time does."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench import differing, measuring, starting
from bench.__main__ import WORKS, main
from bench.made_up import mixed, plain
from bench.measuring import Contender, Goal, Result, Row, Sample, Work, WrongResultError, check, measure
from detector.engine.pairing import Differences, differences
from detector.engine.view import Interner, View

FACTS = 400


def run(tmp_path: Path, *only: str) -> tuple[int, dict[str, Any]]:
    kept = tmp_path / "kept" / "bench.json"
    code = main(["--only", ",".join(only), "--rounds", "1", "--json", str(kept)], facts=FACTS)
    return code, json.loads(kept.read_bytes()) if kept.exists() else {}


# --- the runner -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", WORKS)
def test_every_work_runs_and_all_rivals_say_the_same(
    number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, kept = run(tmp_path, number)
    printed = capsys.readouterr().out
    assert code == 0, printed
    assert {work["number"] for work in kept["works"]} == {number}
    for work in kept["works"]:
        assert f"| {number} | {work['title']} |" in printed
        for rival in work["rivals"]:
            assert f"| {rival['name']} |" in printed
            assert len(rival["ours"]) == len(rival["theirs"]) == 1
            assert all(rival["ours"][0][clock] > 0 for clock in ("cpu", "wall"))


def _loses_one(left: View, right: View, interner: Interner) -> Differences:
    found = differences(left, right, interner)
    lost = next(item for item in found.items if item.status != "same")
    return replace(found, items=tuple(item for item in found.items if item is not lost))


@pytest.mark.parametrize("number", ["B1", "B2"])
def test_a_lost_difference_turns_the_run_red(
    number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(differing, "differences", _loses_one)
    code, kept = run(tmp_path, number)
    assert (code, kept) == (1, {})
    shown = capsys.readouterr()
    assert re.search(rf"wrong result: {number}: DeepDiff.* and ours differ: 1 places, first ", shown.err)
    assert shown.out == ""


def test_a_file_diff_that_overlooks_a_key_turns_the_run_red(monkeypatch: pytest.MonkeyPatch) -> None:
    [work] = starting.whole_process(0)
    for by_hand in work.rivals[:2]:
        assert by_hand.answer is None, "a floor says nothing that could be compared"
    overlooking = Contender(name="parity diff", run=lambda: "SETTING_03", answer=work.ours.answer)
    complete = Contender(name="by hand", run=lambda: "SETTING_03 SETTING_17", answer=work.ours.answer)
    with pytest.raises(WrongResultError, match="1 places, first SETTING_17: None against differs"):
        check(replace(work, ours=overlooking, rivals=(complete,)))


def test_each_round_gives_every_contender_a_turn_and_none_always_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measuring, "SHORTEST_SAMPLE", 0.0)
    turns: list[str] = []
    ours, *rivals = (Contender(name=name, run=partial(_turn, turns, name)) for name in ("ours", "a", "b"))
    result = measure(Work(number="B0", title="", ours=ours, rivals=tuple(rivals)), rounds=3)
    # The check of what ours says and the calibration stand before the rounds, a check after them.
    rounds = [turns[start : start + 3] for start in range(7, 16, 3)]
    assert rounds == [["ours", "a", "b"], ["a", "b", "ours"], ["b", "ours", "a"]]
    assert len(turns) == 17
    assert [(row.rival, len(row.ours), len(row.theirs)) for row in result.rows] == [("a", 3, 3), ("b", 3, 3)]


def test_a_sample_is_as_long_as_it_must_be_though_the_first_turn_took_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a work remembers from its first turn does not make a sample of a single one."""
    clock = iter((0.0, 1.0, 1.0, 1.001))  # one second, then a thousandth
    monkeypatch.setattr(measuring, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(measuring, "SHORTEST_SAMPLE", 0.02)
    turns: list[str] = []
    assert measuring._turns(Contender(name="ours", run=partial(_turn, turns, "ours"))) == 20
    assert len(turns) == 2


def _turn(turns: list[str], name: str) -> None:
    turns.append(name)
    assert sum(range(10_000)), "the clocks must move"


def test_a_ratio_is_that_of_one_round_and_a_goal_speaks_of_the_fastest_rival() -> None:
    ours = (Sample(1.0, 1.0), Sample(2.0, 2.0), Sample(1.0, 4.0))
    slow = Row(rival="Deep slow", ours=ours, theirs=(Sample(9, 9), Sample(18, 18), Sample(9, 9)))
    fast = Row(rival="Deep fast", ours=ours, theirs=(Sample(4, 4), Sample(6, 6), Sample(2, 2)))
    other = Row(rival="other", ours=ours, theirs=(Sample(1, 1), Sample(1, 1), Sample(1, 1)))
    assert (fast.ratios, fast.ratio) == ([4.0, 3.0, 2.0], 3.0)
    nothing = Contender(name="", run=int)
    work = Work(number="B0", title="", ours=nothing, rivals=(), goal=Goal(ratio=2, against="Deep"))
    assert Result(work=work, rows=(slow, fast, other)).decisive is fast
    assert Result(work=replace(work, goal=None), rows=(slow, fast)).decisive is None


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["--only", "B1,B99"], "no work B99; there are B1, B2, B3, J1, J2, B14, V1"),
        (["--rounds", "0"], "at least one round"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    arguments: list[str], remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert remedy in capsys.readouterr().err


# --- what is measured -----------------------------------------------------------------------------


@pytest.mark.parametrize("make", [mixed, plain])
def test_made_up_environments_differ_in_one_of_a_hundred_facts_and_are_the_same_every_time(make: Any) -> None:
    pair = make(2_000)
    assert pair == make(2_000)
    left = {(name, item): value for name, facts in pair.left.items() for item, value in facts.items()}
    right = {(name, item): value for name, facts in pair.right.items() for item, value in facts.items()}
    assert len({*left, *right}) == 2_000
    different = [place for place in {*left, *right} if left.get(place) != right.get(place)]
    assert 0.009 <= len(different) / 2_000 <= 0.011


# --- starting fast --------------------------------------------------------------------------------

#: What one of these costs alone is more than comparing two files may.
HEAVY = {
    "aiohttp", "alembic", "apscheduler", "asyncio", "boto3", "botocore", "deepdiff", "docker", "jinja2",
    "pydantic", "rich", "slack_sdk", "sqlalchemy", "statistics", "structlog", "yaml",
}  # fmt: skip
PROGRAM = """
import sys
from detector.cli import main
sys.argv = ["parity", "diff", *sys.argv[1:]]
try:
    main()
finally:
    print("imported:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_comparing_two_dotenv_files_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / ".env.staging").write_text("DEBUG=false\nPOOL=5\nOLD=1\n")
    (tmp_path / ".env.prod").write_text("DEBUG=false\nPOOL=5\n")
    command = [sys.executable, "-c", PROGRAM, ".env.staging", ".env.prod"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "OLD" in done.stdout
    imported = set(done.stdout.partition("imported: ")[2].split())
    assert "detector" in imported
    assert imported & HEAVY == set()

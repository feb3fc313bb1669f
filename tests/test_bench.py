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

from bench import designs, differing, measuring, puppetdb, starting
from bench.__main__ import WORKS, main
from bench.made_up import mixed, plain
from bench.measuring import (
    Contender,
    Goal,
    Limit,
    Result,
    Row,
    Sample,
    Work,
    WrongResultError,
    check,
    measure,
)
from bench.report import document, markdown
from bench.sizes import Arrivals, Fleet, Lookback, Nodes, Pushes, Scheduled, Size
from detector.engine.pairing import Differences, differences
from detector.engine.view import Interner, View

SMALL = Size(
    rounds=1,
    facts=400,
    components=50,
    version_pairs=400,
    pushes=Pushes(targets=4, few=100, facts=100, at_once=2),
    kept=Fleet(targets=3, facts=60, polls=3),
    job=Fleet(targets=3, facts=60, polls=6),
    nodes=None,
    lookback=Lookback(facts=100, polls=12, most=24),
    searched=Fleet(targets=6, facts=100, polls=2),
    matrix=Fleet(targets=6, facts=100, polls=1),
    arrivals=Arrivals(facts=100, many=6, few=2, at_once=5),
    scheduled=Scheduled(sources=600, seconds=2, rounds=1),
    started=Fleet(targets=3, facts=100, polls=1),
)


def run(tmp_path: Path, *only: str) -> tuple[int, dict[str, Any]]:
    kept = tmp_path / "kept" / "bench.json"
    code = main(["--only", ",".join(only), "--rounds", "1", "--json", str(kept)], quick=SMALL)
    return code, json.loads(kept.read_bytes()) if kept.exists() else {}


# --- the runner -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", sorted(WORKS.keys() - {"B8"}))
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
            assert len(rival["theirs"]) == 1
        assert len(work["ours"]) == 1
        assert all(work["ours"][0][clock] > 0 for clock in ("cpu", "wall", work["figure"]))


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
    [work] = starting.whole_process()
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
    assert (fast.ratios(), fast.ratio()) == ([4.0, 3.0, 2.0], 3.0)
    work = Work(number="B0", title="", ours=Contender(name="", run=int))
    found = Result(work=work, ours=ours, rows=(slow, fast, other))
    assert found.decisive(Goal(ratio=2, against="Deep")) is fast


#: Ours takes a second of CPU and 80 bytes, the rival half a second and 800 bytes.
GOALS: list[tuple[Goal | Limit, float, bool, str]] = [
    (Goal(against="rival", ratio=0.4), 0.5, True, "≥ 0.40×: reached"),
    (Goal(against="rival", ratio=5), 0.5, False, "≥ 5.00×: **missed** by 10.00×"),
    (Goal(against="rival", most=3), 2.0, True, "≤ 3.00× (2.00×): reached"),
    (Goal(against="rival", most=1.6), 2.0, False, "≤ 1.60× (2.00×): **missed** by 1.25×"),
    (Goal(against="rival", ratio=8, figure="disk"), 10.0, True, "≥ 8.00× on disk (10×): reached"),
    (Limit(figure="wall", most=2.5), 2.0, True, "by the wall clock ≤ 2.50 s (2.00 s): reached"),
    (Limit(figure="disk", most=64), 80.0, False, "on disk ≤ 64 B (80 B): **missed** by 1.25×"),
    (Limit(figure="disk", most=0, about="more"), 80.0, False, "more ≤ 0 B (80 B): **missed**"),
]


@pytest.mark.parametrize(("goal", "measured", "reached", "said"), GOALS)
def test_the_table_says_of_each_goal_what_was_measured_and_whether_it_was_reached(
    *, goal: Goal | Limit, measured: float, reached: bool, said: str
) -> None:
    ours, theirs = (Sample(1.0, 2.0, {"disk": 80.0}),), (Sample(0.5, 1.0, {"disk": 800.0}),)
    work = Work(number="B0", title="work", ours=Contender(name="", run=int), goals=(goal,))
    result = Result(work=work, ours=ours, rows=(Row(rival="rival", ours=ours, theirs=theirs),))
    assert f" {said}" in markdown([result], rounds=1)
    [kept] = document([result], rounds=1)["works"]
    assert (kept["goals"][0]["measured"], kept["goals"][0]["reached"]) == (measured, reached)


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["--only", "B1,B99"], f"no work B99; there are {', '.join(WORKS)}"),
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


class _Forgetful(designs.BlobPerPoll):
    """Overlooks that anything changed."""

    def record(self, target: int, at: int, facts: designs.Facts) -> None:
        super().record(target, at, facts if at == 0 else self.state(target, 0))


def test_a_design_that_forgets_a_change_turns_the_run_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(designs.DESIGNS, "a zstd blob per poll", _Forgetful)
    assert run(tmp_path, "B7") == (1, {})
    assert re.search(
        r"wrong result: B7: a zstd blob per poll and ours differ: \d+ places, ", capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("nodes", "why"),
    [
        (None, "B8: skipped, PuppetDB takes minutes to get warm (make bench-full)"),
        (
            Nodes(nodes=1, facts=1, warm=1, rounds=1),
            "B8: skipped, PuppetDB is not installed (apt-get install",
        ),
    ],
)
def test_puppetdb_is_left_out_with_the_reason(
    nodes: Nodes | None, why: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(puppetdb, "JAR", Path("/nonexistent/puppetdb.jar"))
    assert list(puppetdb.commands(nodes)) == []
    assert why in capsys.readouterr().err


def test_both_sides_of_puppetdbs_workload_are_sent_the_same() -> None:
    size = Nodes(nodes=2, facts=300, warm=0, rounds=1)
    ours, theirs = puppetdb.Fleet(size), puppetdb.Fleet(size)
    first = ours.next()
    assert first == theirs.next()
    second = ours.next()
    changed = {fact for fact in first["node-0"] if first["node-0"][fact] != second["node-0"][fact]}
    assert (set(first), changed) == ({"node-0", "node-1"}, {"fact-0", "fact-1", "fact-2"})
    assert ours.said(second.__getitem__) != theirs.said(first.__getitem__)


def test_a_long_work_is_run_once_for_each_sample_and_each_run_is_checked() -> None:
    turns: list[str] = []
    ours = Contender(name="ours", run=partial(_turn, turns, "ours"), answer=lambda _: len(turns) < 5)
    rival = Contender(name="rival", run=partial(_turn, turns, "rival"), answer=lambda _: True)
    work = Work(number="B0", title="", ours=ours, rivals=(rival,), rounds=2)
    assert len(measure(work, rounds=9).ours) == 2
    assert len(turns) == 4
    with pytest.raises(WrongResultError):
        measure(work, rounds=9)


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
    "aiohttp", "alembic", "apscheduler", "asyncio", "boto3", "botocore", "deepdiff", "defusedxml", "docker",
    "jinja2", "msgspec", "packageurl", "pydantic", "rich", "slack_sdk", "sqlalchemy", "statistics",
    "structlog", "yaml",
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


def test_comparing_two_bills_imports_nothing_heavy_but_what_decodes_them(tmp_path: Path) -> None:
    for name in ("staging.cdx.json", "prod.cdx.json"):
        (tmp_path / name).write_text('{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}')
    command = [sys.executable, "-c", PROGRAM, "staging.cdx.json", "prod.cdx.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    imported = set(done.stdout.partition("imported: ")[2].split())
    assert imported & HEAVY == {"msgspec"}

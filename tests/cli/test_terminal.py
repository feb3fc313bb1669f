"""What the terminal shows: lines that fit, colours that can be switched off, help that helps."""

import re
from pathlib import Path

import click
import pytest

from detector.cli import COMMANDS
from detector.cli import parity as group
from tests.cli import conftest
from tests.cli.conftest import Parity, as_process, write


@pytest.mark.parametrize(
    ("command", "columns"),
    [
        (("diff", "staging", "prod"), 60),
        (("diff", "staging", "prod"), 80),
        (("diff", "staging", "prod"), 120),
        (("gate",), 60),
        (("status",), 80),
        (("log",), 80),
    ],
)
def test_lines_fit_the_terminal(
    parity: Parity, shop: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], columns: int
) -> None:
    monkeypatch.setattr(conftest, "COLUMNS", columns)
    answer = parity(*command)
    assert [line for line in answer.out.splitlines() if len(line) > columns] == []


def test_what_is_said_aside_stays_together(parity: Parity, folder: Path) -> None:
    write(folder, requirements__txt="a-package-with-a-name-that-is-quite-long-for-a-line==1.0.0\n")
    write(folder, r__txt="a-package-with-a-name-that-is-quite-long-for-a-line==2.0.0\n")
    out = parity("diff", "requirements.txt", "lockfile:r.txt").out
    assert "(major, lockfile:r.txt is ahead)" in out


def test_a_finding_ends_with_what_would_mend_it(parity: Parity, folder: Path) -> None:
    write(folder, __env__staging="A=1\nB=1\n", __env__prod="A=1\n")
    out = parity("diff", ".env.staging", ".env.prod").out
    assert "↳ in .env.prod: set B" in out


def test_colour_comes_only_where_it_is_wanted(folder: Path) -> None:
    write(folder, __env__staging="A=1\nB=1\n", __env__prod="A=1\n")
    words = ("diff", ".env.staging", ".env.prod")
    plain = as_process(*words, cwd=folder)
    assert "\x1b" not in plain.out
    assert as_process(*words, cwd=folder, FORCE_COLOR="1", NO_COLOR="1").out == plain.out


def test_names_from_files_cannot_move_the_cursor(parity: Parity, folder: Path) -> None:
    folder_name = "a\x1b[2Jb"
    (folder / folder_name).mkdir()
    answer = parity("diff", f"{folder_name}/.env", ".env")
    assert "\x1b" not in answer.err + answer.out


def test_usage_comes_before_what_was_wrong(parity: Parity, folder: Path) -> None:
    answer = parity("diff", "--fial-on", "low")
    assert (
        answer.err.splitlines()
        == [
            "Usage: parity diff [OPTIONS] LEFT RIGHT",
            "parity diff --help says more",
            "parity: no such option '--fial-on'",
        ]
        or "did you mean" in answer.why.lower()
    )


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            found.append(((*path, name), command))
            if isinstance(command, click.Group):
                found += commands(command, (*path, name))
    return found


@pytest.mark.parametrize(
    ("path", "command"),
    commands(group),
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_help_says_what_each_option_is_for(
    parity: Parity, path: tuple[str, ...], command: click.Command
) -> None:
    answer = parity(*path, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert [line for line in answer.out.splitlines() if len(line) > 80] == []
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name
    assert command.help


def test_the_list_of_commands_is_the_list_of_commands(parity: Parity) -> None:
    listed = re.findall(r"^  (\w+)  ", parity("--help").out.partition("Commands:")[2], re.MULTILINE)
    assert listed == list(COMMANDS)


def test_the_shell_completes_commands_options_and_choices(folder: Path) -> None:
    script = as_process(cwd=folder, _PARITY_COMPLETE="bash_source").out
    assert "complete -o nosort -F" in script

    def completed(words: str, number: int) -> list[str]:
        out = as_process(
            cwd=folder, _PARITY_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(number)
        ).out
        return [line.partition(",")[2] for line in out.splitlines()]

    assert completed("parity ga", 1) == ["gate"]
    assert "--fail-on" in completed("parity gate --f", 2)
    assert completed("parity gate --fail-on h", 3) == ["high"]

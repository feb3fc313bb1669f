"""How answers are printed: `-o table|json|yaml|md|csv`, colours, and the reason of an exit code."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NoReturn

import click

from detector.model.words import SEVERITIES, Severity

Format = Literal["table", "json", "yaml", "md", "csv"]
FORMATS: Final = ("table", "json", "yaml", "md", "csv")

#: What each exit code stands for.
PARITY, DRIFT, ERROR, CANNOT_TELL = 0, 1, 2, 3

config_option = click.option(
    "--config",
    "config_path",
    metavar="FILE",
    help="The configuration; default: $PARITY_CONFIG, ./parity.yml, /etc/parity/parity.yml.",
)
output_option = click.option(
    "-o",
    "--output",
    "output",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="Format of the answer.",
)

incomplete_option = click.option(
    "--allow-incomplete", is_flag=True, help="Exit 0 although something was not seen."
)


def fail_on_option(default: Severity) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option that says from which severity on drift ends with 1."""
    return click.option(
        "--fail-on",
        type=click.Choice(SEVERITIES[1:]),
        default=default,
        show_default=True,
        help="Exit 1 for drift of this severity or worse.",
    )


def say(text: str, *, nl: bool = True) -> None:
    """Print on stdout. A reader that has seen enough ends the output, not the command: its code is owed."""
    try:
        click.echo(text, nl=nl)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show(
    document: Mapping[str, Any],
    output: str,
    *,
    table: Callable[[Mapping[str, Any]], list[str]],
    markdown: Callable[[Mapping[str, Any]], str],
    csv: Callable[[Mapping[str, Any]], str],
) -> None:
    """Print a document in the asked format."""
    if output == "json":
        import orjson

        say(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    elif output == "yaml":
        import yaml

        say(yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True), nl=False)
    elif output == "md":
        say(markdown(document), nl=False)
    elif output == "csv":
        say(csv(document), nl=False)
    else:
        for line in table(document):
            say(line)


def show_rows(
    document: Mapping[str, Any],
    output: str,
    *,
    table: Callable[[Mapping[str, Any]], list[str]],
    rows: Callable[[Mapping[str, Any]], Sequence[Sequence[str]]],
) -> None:
    """Print a document whose Markdown and CSV are the same rows, the first of them the header."""
    from detector.queries.rendering import csv_table, markdown_table

    def csv(document: Mapping[str, Any]) -> str:
        header, *rest = rows(document)
        return csv_table(header, [dict(zip(header, row, strict=True)) for row in rest])

    show(document, output, table=table, markdown=lambda found: markdown_table(rows(found)), csv=csv)


def finish(code: int, reason: str) -> NoReturn:
    """End with an exit code; the last line on stderr says why."""
    click.echo(reason, err=True)
    sys.exit(code)


def width() -> int:
    """Return the columns to fill: of the terminal, or 100 where there is none."""
    try:
        return max(60, min(160, os.get_terminal_size(sys.stdout.fileno()).columns))
    except (OSError, ValueError):
        return int(os.environ.get("COLUMNS", "100")) if os.environ.get("COLUMNS", "100").isdigit() else 100


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of cells as lines whose columns stand below each other."""
    widths = [max(len(row[number]) for row in rows) for number in range(len(rows[0]))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def styled(text: str, **style: Any) -> str:
    """Return text with colour where stdout is a terminal and NO_COLOR is not set."""
    if os.environ.get("NO_COLOR") or not (sys.stdout.isatty() or os.environ.get("FORCE_COLOR")):
        return text
    return click.style(text, **style)

"""A report as one HTML file: nothing is loaded, nothing runs, every word of a stranger is text."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from detector.alerts.wording import name_of
from detector.model.words import SECTIONS
from detector.queries.rendering import TITLES, side_shown
from detector.queries.report_text import factor_table, gap_lines, sides_of

_STYLE: Final = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .8rem 0 1.6rem; }
caption { text-align: left; font-weight: 650; padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; }
tr { border-bottom: 1px solid #8884; }
thead th { font-size: .85rem; opacity: .75; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
.muted { opacity: .7; }
"""
#: No script, no picture, no font: not even a typing error could fetch anything.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def report_html(document: Mapping[str, Any], *, factors: bool) -> str:
    """Return a report as a page of its own; with ``factors`` without the findings one by one."""
    body = "".join(_comparison(one, factors=factors) for one in document["comparisons"])
    titles = ", ".join(" → ".join(sides_of(one)) for one in document["comparisons"])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{escape(titles)} · Parity</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'{body}<p class="muted">as of {escape(document["as_of"])} · config values are never stored nor '
        "shown</p>\n</body>\n</html>\n"
    )


def _comparison(comparison: Mapping[str, Any], *, factors: bool) -> str:
    left, right = sides_of(comparison)
    summary = comparison["summary"]
    worst = summary["worst"] or (
        "no drift" if comparison["complete"] else "no drift, not everything was seen"
    )
    score = "" if summary["score"] is None else f" · score {summary['score']:.2f}"
    parts = [
        f"<h1>{escape(left)} → {escape(right)}</h1>\n<p>worst: <strong>{escape(worst)}</strong>{score}</p>\n",
        _table("By the twelve factors", factor_table(comparison)),
        _table("The three gaps", [("gap", "is"), *gap_lines(comparison["gaps"])]),
    ]
    if comparison["cannot_see"]:
        rows = [(one["collector"], "; ".join(one["parts"])) for one in comparison["cannot_see"]]
        parts.append(_table("What nobody could see", [("collector", "cannot see"), *rows]))
    if not factors:
        parts += [
            _table(TITLES[section], _findings(items, left, right))
            for section in SECTIONS
            if (items := [item for item in comparison["items"] if item["section"] == section])
        ]
        parts.append(_unseen(comparison["coverage"]["unseen"]))
    return "".join(parts)


def _findings(items: Iterable[Mapping[str, Any]], left: str, right: str) -> list[tuple[str, ...]]:
    return [
        ("", "service", "item", left, right, "remedy"),
        *(
            (
                item["severity"] if item["verdict"] == "drift" else item["verdict"],
                item["service"] if item["component"] == "main" else f"{item['service']}/{item['component']}",
                name_of(item["item"]),
                side_shown(item["left"]),
                side_shown(item["right"]),
                item["remedy"] or "",
            )
            for item in items
        ),
    ]


def _unseen(unseen: Sequence[Mapping[str, Any]]) -> str:
    if not unseen:
        return ""
    names = ("environment", "service", "source", "section", "item", "reason", "detail")
    return _table("Not seen", [names, *(tuple(str(one[name]) for name in names) for one in unseen)])


def _table(title: str, rows: Sequence[Sequence[str]]) -> str:
    header, *body = rows
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    lines = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{escape(cell)}</th>' if number == 0 else f"<td>{escape(cell)}</td>"
            for number, cell in enumerate(row)
        )
        + "</tr>\n"
        for row in body
    )
    return (
        f"<table>\n<caption>{escape(title)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{lines}</tbody>\n</table>\n"
    )

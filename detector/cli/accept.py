"""`parity accept`: let a difference be for a while, with a reason and a last day; list and end what is."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import click

from detector.cli.acceptance_list import counted, last_day_of, list_lines, list_rows, listed
from detector.cli.output import config_option, finish, output_option, say, show_rows
from detector.errors import NotFoundError, UsageError
from detector.model.words import SECTIONS

if TYPE_CHECKING:
    from detector.cli.doors import Door
    from detector.jobs.accept import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One command line."""

    what: tuple[str, ...]
    everything: bool
    listing: bool
    ending: str | None
    reason: str | None
    lasts: str | None
    expires: str | None
    until: Any
    comparisons: tuple[str, ...]
    section: str | None
    component: str | None
    kind: str | None
    author: str | None
    printing: bool
    server: str | None
    token_file: str | None
    config_path: str | None
    output: str

    def check(self) -> None:
        """Raise UsageError for words that do not go together."""
        ways = [bool(self.what), self.everything, self.listing, self.ending is not None]
        if sum(ways) != 1:
            raise UsageError("name one drift, or give one of --all, --list and --end ID")
        if self.what and len(self.what) not in (1, 3):
            raise UsageError("name a drift by its id, or as COMPARISON SERVICE ITEM")
        if self.comparisons and not self.everything:
            raise UsageError("--comparison goes with --all")
        if self.server and self.author:
            raise UsageError("--author goes without --server: the holder of the token is the author")
        if self.printing and (self.listing or self.ending):
            raise UsageError("--print shows what accepting would write to a file")

    @property
    def who(self) -> str:
        """Who accepts."""
        from detector.cli.asking import whoami

        return self.author or whoami()

    def said(self, now: datetime) -> "Said":
        """Return reason and last day. Raises UsageError where one is missing or over."""
        from detector.engine.acceptance import expiry
        from detector.jobs.accept import Said, check
        from detector.model.clock import duration

        if not self.reason:
            raise UsageError("--reason is a must: whoever finds this in half a year asks for it")
        if (self.lasts is None) == (self.expires is None):
            raise UsageError("give one of --for 30d and --expires 2026-12-05: nothing is accepted for ever")
        try:
            expires_at = (
                expiry(self.expires) if self.expires is not None else now + duration(self.lasts or "")
            )
        except OverflowError:
            raise UsageError("--for: at most two years") from None
        said = Said(reason=self.reason, author=self.who, expires_at=expires_at, until=self.until)
        check(said, now)
        return said


@click.command()
@click.argument("what", nargs=-1, metavar="[DRIFT | COMPARISON SERVICE ITEM]")
@click.option("--all", "everything", is_flag=True, help="All that is open now: a baseline for day one.")
@click.option("--list", "listing", is_flag=True, help="List what is accepted; unused ones are marked.")
@click.option("--end", "ending", metavar="ID", help="End an acceptance: what it hid is open again.")
@click.option("--reason", help="Why it is let be: a must.")
@click.option("--for", "lasts", metavar="SPAN", help="How long, as in 30d.")
@click.option("--expires", metavar="DAY", help="The last day, as in 2026-12-05.")
@click.option(
    "--until",
    type=click.Choice(("changed", "worse", "resolved")),
    help="What ends it before; default: worse of dependencies, changed of the rest.",
)
@click.option(
    "--comparison", "comparisons", multiple=True, help="With --all: only this comparison (repeatable)."
)
@click.option(
    "--section", type=click.Choice(SECTIONS), metavar="SECTION", help="Where several sections have the item."
)
@click.option("--component", help="Where several components have the item.")
@click.option("--kind", help="Where several findings are about the item.")
@click.option("--author", help="Who accepts; default: you, as USER@HOST.")
@click.option("--print", "printing", is_flag=True, help="Print YAML for accepted_drift; write nothing.")
@click.option("--server", envvar="PARITY_SERVER", help="Address of a service to ask, or PARITY_SERVER.")
@click.option("--token-file", type=click.Path(dir_okay=False), help="File of the token; else PARITY_TOKEN.")
@config_option
@output_option
def accept(**words: Any) -> None:
    """Let a difference be for a while. It ends by itself when it changes, gets worse or is gone.

    \b
    parity accept staging..prod shop-db main#version --reason "16 soaks" --for 14d
    parity accept --all --reason "found on day one" --expires 2027-02-01
    """
    asked = Asked(**words)
    asked.check()
    asyncio.run(_answer(asked, _door(asked)))


def _door(asked: Asked) -> "Door":
    from detector.cli.asking import configuration, service_beside
    from detector.cli.doors import Here, There
    from detector.cli.remote import token_of

    if asked.server:
        return There(asked.server, token_of(asked.token_file))
    config = configuration(asked.config_path)
    beside = service_beside(config)
    if beside is None:
        return Here(config)
    if asked.author:
        raise UsageError("--author goes not beside a running service: it knows who you are")
    return There(beside)


async def _answer(asked: Asked, door: "Door") -> NoReturn:
    if asked.listing:
        await listed(door, asked.output)
    if asked.ending is not None:
        ended = await door.end(asked.ending, asked.who)
        finish(0, f"accept: {asked.ending} has ended: {counted(ended['held_for'])} open again")
    said = asked.said(datetime.now(UTC))
    if asked.comparisons:
        await _require_names(door, asked.comparisons)
    if asked.printing:
        await _print(asked, door, said)
    if asked.everything:
        made = await door.accept_open(asked.comparisons, said)
        _show([made], asked)
        finish(
            0,
            f"accept: {counted(made['hides'])} accepted until {last_day_of(made)} by {made['author']}; "
            "parity status counts them down",
        )
    drift = await _meant(asked, door)
    made = await door.accept(drift["drift_id"], said)
    _show([made], asked)
    day, ends = last_day_of(made), _until(drift, said)
    finish(0, f"accept: {_named(drift)} is accepted until {day}, or until it is {ends}")


async def _meant(asked: Asked, door: "Door") -> dict[str, Any]:
    """Return the drift that the words name. Raises NotFoundError, UsageError where there are several."""
    if len(asked.what) == 1:
        found = [one for one in await door.drifts(None, None) if one["drift_id"] == asked.what[0]]
        if not found:
            raise NotFoundError(f"no open drift has the id {asked.what[0]}: parity log lists them")
        return found[0]
    from detector.engine.naming import meant, near

    comparison, service, item = asked.what
    narrowed = {"section": asked.section, "component": asked.component, "kind": asked.kind}
    here = await door.drifts(comparison, service)
    if not here:
        await _require_names(door, (comparison,), service)
    names = meant(item, (one["item"] for one in here))
    found = [
        one
        for one in here
        if one["item"] in names and all(word in (None, one[name]) for name, word in narrowed.items())
    ]
    if not found:
        from detector.errors import did_you_mean

        known = near(one["item"] for one in here)
        hint = did_you_mean(item, known) if known else ": parity log lists what is open"
        raise NotFoundError(f"no open drift of {item} of {service} in {comparison}{hint}")
    if len(found) > 1:
        ways = "; ".join(
            f"--section {one['section']} --component {one['component']} --kind {one['kind']}"
            for one in found[:6]
        )
        raise UsageError(f"{len(found)} open drifts are about {item}, say which: {ways}")
    return found[0]


async def _require_names(door: "Door", comparisons: Sequence[str], service: str | None = None) -> None:
    """Raise NotFoundError for a comparison or a service that there is not."""
    from detector.errors import did_you_mean

    known, services = await door.names()
    for name in comparisons:
        if name not in known:
            raise NotFoundError(f"no comparison {name}{did_you_mean(name, known)}")
    if service is not None and service not in services:
        raise NotFoundError(f"no service {service}{did_you_mean(service, services)}")


async def _print(asked: Asked, door: "Door", said: "Said") -> NoReturn:
    import yaml

    from detector.engine.acceptance import last_day

    if asked.everything:
        rows = [one for one in await door.drifts(None, None) if one["state"] != "accepted"]
        rows = [one for one in rows if not asked.comparisons or one["comparison"] in asked.comparisons]
    else:
        rows = [await _meant(asked, door)]
    if not rows:
        finish(0, "accept: nothing is open, there is nothing to print")
    day = datetime.fromisoformat(last_day(said.expires_at)).date()
    entries = [
        {
            **{name: one[name] for name in ("comparison", "service", "section", "item")},
            **({"component": one["component"]} if one["component"] != "main" else {}),
            **({"kind": one["kind"]} if one["kind"] != "difference" else {}),
            "reason": said.reason,
            "author": said.author,
            "expires": day,
            "until": _until_of(one, said),
        }
        for one in rows
    ]
    say(yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=200), nl=False)
    finish(0, f"accept: {counted(len(entries))} for a file of accepted_drift; nothing was written")


def _show(made: list[dict[str, Any]], asked: Asked) -> None:
    if asked.output != "table":
        show_rows({"items": made, "next_cursor": None}, asked.output, table=list_lines, rows=list_rows)


def _named(drift: Mapping[str, Any]) -> str:
    return f"{drift['item']} of {drift['service']} in {drift['comparison']}"


def _until_of(drift: Mapping[str, Any], said: "Said") -> str:
    return said.until or ("worse" if drift["section"] == "dependencies" else "changed")


def _until(drift: Mapping[str, Any], said: "Said") -> str:
    return {"resolved": "gone"}.get(_until_of(drift, said), _until_of(drift, said))

"""`parity once`: one round of what `serve` does for ever."""

import asyncio
import logging
from datetime import UTC, datetime

import click

from detector.cli.output import CANNOT_TELL, DRIFT, config_option, finish, say
from detector.cli.progress import as_they_end
from detector.config.records import Config


@click.command()
@config_option
def once(config_path: str | None) -> None:
    """Collect, compare and deliver once: for cron, and for CI with a cached database file."""
    from detector.cli.asking import collecting, configuration
    from detector.logging import configure

    # The lines above say what became of each source: the log adds what went wrong.
    configure(level=logging.WARNING)
    with collecting():
        failed, open_drifts, sources = asyncio.run(_round(configuration(config_path)))
    seen = f"{sources - failed} of {sources} sources seen"
    if open_drifts:
        noun = "drift is" if open_drifts == 1 else "drifts are"
        finish(DRIFT, f"once: {seen}, {open_drifts} {noun} open above info; parity log lists them")
    if failed:
        finish(CANNOT_TELL, f"once: {seen}, the others cannot be told")
    finish(0, f"once: {seen}, no open drift")


async def _round(config: Config) -> tuple[int, int, int]:
    from detector.assembly import running
    from detector.cli.snapshot import run_line
    from detector.config.choosing import sources_of

    wanted = sources_of(config, (), ())
    async with running(config) as here:
        await here.watch.resume()
        failed = 0
        async for one in as_they_end([here.watch.run(source) for source in wanted]):
            failed += one.result is not None
            say(run_line(one.source, one.result, one.detail, changed=any(r.changed for _, r in one.observed)))
        await here.watch.review(datetime.now(UTC))
        await here.watch.remind(datetime.now(UTC))
        await here.deliver.run(datetime.now(UTC))
        rows = await here.reading.store.register(states=("open", "pending"))
        grave = [row for row in rows if row.severity != "info"]
        await here.watch.stop()
    return failed, len(grave), len(wanted)

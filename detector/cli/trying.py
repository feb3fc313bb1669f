"""`parity check --online`: every source run once, with nothing kept."""

from collections.abc import Sequence
from typing import Final

from detector.cli.output import say
from detector.cli.progress import as_they_end
from detector.cli.snapshot import run_line
from detector.config.records import Config, Source
from detector.engine.unmatched import plain

_MOST_NAMES: Final = 8


async def tried(config: Config) -> int:
    """Run every polled source once, print what became of each, and return how many were not seen."""
    from detector.assembly import looking

    failed = 0
    async with looking(config) as look:
        sources = [source for source in config.sources if source.polled]
        async for looked in as_they_end([look.look(source) for source in sources]):
            source, why = looked.source, looked.why
            failed += why is not None
            say(run_line(source, why.reason if why else None, why.detail if why else ""))
            found = sorted({observation.service for observation in looked.observations})
            if source.service is None and why is None:
                _say_found(source, found, config)
    return failed


def _say_found(source: Source, found: Sequence[str], config: Config) -> None:
    """Print how many services a discovery found, and which of them nothing else in the file names."""
    previews = [name for name in found if source.is_ephemeral(name)]
    services = [name for name in found if name not in previews]
    known = [service.name for service in config.services]
    others = [name for name in services if name not in known]
    aside = f", {len(previews)} previews" if previews else ""
    say(f"    {len(services)} services found, {len(services) - len(others)} configured{aside}")
    for name in others[:_MOST_NAMES]:
        near = next((one for one in known if plain(one) == plain(name)), None)
        hint = f" (did you mean {near}? say so: {{name: {near}, aliases: [{name}]}})" if near else ""
        say(f"    {name} is not configured{hint}")
    if len(others) > _MOST_NAMES:
        say(f"    and {len(others) - _MOST_NAMES} more")

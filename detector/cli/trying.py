"""`parity check --online`: every source run once, with nothing kept."""

from detector.cli.output import say
from detector.cli.progress import as_they_end
from detector.cli.snapshot import run_line
from detector.config.records import Config


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
                known = {service.name for service in config.services}
                paired = sum(name in known for name in found)
                say(f"    {len(found)} services found, {paired} configured: {', '.join(found[:8])}")
    return failed

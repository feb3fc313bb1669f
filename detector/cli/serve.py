"""`parity serve`: the service."""

import asyncio
import os
import signal
from pathlib import Path

import click
import structlog
from aiohttp import web

from detector.api.local_socket import listening, socket_path
from detector.assembly import Running, running
from detector.cli.asking import configuration
from detector.cli.output import config_option, finish
from detector.config.globs import matched
from detector.config.records import Config
from detector.errors import ConfigError, StoreError
from detector.jobs.offer import offers
from detector.logging import configure

#: How often the file is looked at for changes.
_FILE_WATCH = 2.0
#: Open requests may take this long after a stop was asked for; sources have their own time before it.
_REQUESTS_END_WITHIN = 1.5


@click.command()
@config_option
def serve(config_path: str | None) -> None:
    """Watch the configured environments: collect, judge, tell, and answer over HTTP."""
    configure()
    config = configuration(config_path)
    asyncio.run(_serve(config))
    finish(0, "serve: stopped")


async def _serve(config: Config) -> None:
    log = structlog.get_logger("parity.serve")
    for warning in config.warnings:
        log.warning("configuration", warning=warning)
    async with running(config) as here:
        await _announce_first_token(here, config)
        runner = await _listen(here, config)
        try:
            await here.watch.start()
            log.info(
                "ready", url=config.server.public_url, listen=config.server.listen, config=str(config.path)
            )
            _announce_link(runner)
            for offer in offers({source.type for source in config.sources}):
                log.info("offer", offer=offer)
            await _until_stopped(here, config.path, log)
        finally:
            # First no new requests, then no new runs: what was acknowledged is in the store. Nobody else can
            # have put a socket there: this process still owns the database.
            socket_path(config).unlink(missing_ok=True)
            await runner.cleanup()
            await here.watch.stop()


async def _announce_first_token(here: Running, config: Config) -> None:
    from detector.api.tokens import ensure_first_token

    if config.server.auth != "token":
        return
    token = await ensure_first_token(here.reading.store)
    if token is not None:
        # Not through the log: a token has no business in one.
        click.echo(f"first admin token, shown only now: {token}", err=True)


def _announce_link(runner: web.AppRunner) -> None:
    from detector.api.app import sign_in_link

    link = sign_in_link(runner.app)
    if link is not None:
        # Good once and for minutes: whoever reads the output of this process may come in.
        click.echo(f"sign in once, within 15 minutes: {link}", err=True)


async def _listen(here: Running, config: Config) -> web.AppRunner:
    from detector.api.app import create_app

    app = create_app(here)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_REQUESTS_END_WITHIN)
    await runner.setup()
    try:
        await web.SockSite(runner, listening(socket_path(config))).start()
    except StoreError:
        await runner.cleanup()
        raise
    try:
        await web.TCPSite(runner, config.server.host, config.server.port).start()
    except OSError as error:
        socket_path(config).unlink(missing_ok=True)
        await runner.cleanup()
        raise StoreError(
            f"{config.server.listen} cannot be listened on ({error.strerror}): is another service there?"
        ) from None
    return runner


async def _until_stopped(here: Running, path: Path, log: structlog.typing.FilteringBoundLogger) -> None:
    """Wait for SIGTERM or SIGINT; reload on SIGHUP and when the file changes."""
    loop = asyncio.get_running_loop()
    stop, reload = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    stamp = _stamps(here, path)
    while not stop.is_set():
        waits = [asyncio.create_task(event.wait()) for event in (stop, reload)]
        await asyncio.wait(waits, timeout=_FILE_WATCH, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        now_stamp = _stamps(here, path)
        if reload.is_set() or now_stamp != stamp:
            reload.clear()
            stamp = now_stamp
            _reload(here, log)
    log.info("stopping")


def _reload(here: Running, log: structlog.typing.FilteringBoundLogger) -> None:
    try:
        here.reload(os.environ)
    except ConfigError as error:
        # The problems are the whole story; a traceback would tell none of it.
        log.error(  # noqa: TRY400
            "configuration not taken over", problems=[str(problem) for problem in error.problems]
        )
    else:
        log.info("configuration taken over")


def _stamps(here: Running, path: Path) -> list[tuple[int, int] | None]:
    """Return what changes when the configuration does: of its file, and of all that it names by globs."""
    config = here.reading.settings.config
    files = [
        name
        for pattern in (*config.accepted_drift, *config.discovered)
        for name in matched(config.folder, pattern)
    ]
    return [_stamp(path), *(_stamp(config.folder / name) for name in files)]


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size

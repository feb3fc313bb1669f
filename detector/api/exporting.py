"""Everything that is stored, as lines of JSON."""

from contextlib import aclosing

from aiohttp import web

from detector.api.asked import Asked
from detector.api.params import Params
from detector.store.exporting import MEDIA_TYPE


async def export(asked: Asked[Params]) -> web.StreamResponse:
    """Everything that is stored, a row a line, as `parity db export` writes it."""
    response = web.StreamResponse(headers={"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"})
    async with aclosing(asked.reading.store.export()) as lines:
        # Before the answer begins: a store that does not answer is a problem, not half a file.
        first = await anext(lines)
        await response.prepare(asked.request)
        if asked.request.method != "HEAD":
            await response.write(first)
            async for some in lines:
                await response.write(some)
    await response.write_eof()
    return response

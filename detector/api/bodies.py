"""Bodies of requests: bounded in size and time, counted while they are inflated."""

import asyncio
import zlib
from dataclasses import dataclass
from typing import Final

import zstandard
from aiohttp import hdrs, web

from detector.api.problems import RefusalError

MEBIBYTE: Final = 2**20
#: Bytes of zstd that are inflated at one time: none can become more than 32 times a mebibyte.
_PIECE: Final = 1024
#: What a frame of zstd may ask us to hold before it gives one byte (RFC 8878 tells decoders to take 8 MiB).
_WINDOW: Final = 8 * MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request may cost."""

    body_bytes: int = 32 * MEBIBYTE
    body_seconds: float = 60.0
    #: Pushes whose bodies are held in memory at one time.
    pushes: int = 16
    header_bytes: int = 16 * 1024
    headers: int = 64


async def body_of(request: web.Request, limits: Limits) -> bytes:
    """Return the body, inflated. Raises RefusalError: too large, too slow, broken, another encoding."""
    if request.content_length is not None and request.content_length > limits.body_bytes:
        raise _too_large(limits)
    sent = await _sent(request, limits)
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower()
    match encoding:
        case "identity" | "":
            return sent
        case "gzip" | "x-gzip":
            return await asyncio.to_thread(_gunzipped, sent, limits)
        case "zstd":
            return await asyncio.to_thread(_unzstded, sent, limits)
        case _:
            raise RefusalError(
                415,
                "unsupported-encoding",
                "send it plain, as gzip or as zstd",
                headers={"Accept-Encoding": "gzip, zstd"},
            )


async def _sent(request: web.Request, limits: Limits) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for part in request.content.iter_any():
                size += len(part)
                if size > limits.body_bytes:
                    raise _too_large(limits)
                parts.append(part)
    except TimeoutError:
        raise RefusalError(
            408, "request-timeout", "the body came too slowly", headers={"Connection": "close"}
        ) from None
    return b"".join(parts)


def _gunzipped(sent: bytes, limits: Limits) -> bytes:
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        found = inflater.decompress(sent, limits.body_bytes + 1)
    except zlib.error:
        raise _broken("gzip") from None
    if len(found) > limits.body_bytes:
        raise _too_large(limits)
    if not inflater.eof or inflater.unused_data:
        raise _broken("gzip")
    return found


def _unzstded(sent: bytes, limits: Limits) -> bytes:
    inflater = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
    parts: list[bytes] = []
    size = 0
    try:
        for start in range(0, len(sent), _PIECE):
            part = inflater.decompress(sent[start : start + _PIECE])
            size += len(part)
            if size > limits.body_bytes:
                raise _too_large(limits)
            parts.append(part)
    except zstandard.ZstdError:
        raise _broken("zstd") from None
    if not inflater.eof:
        raise _broken("zstd")
    return b"".join(parts)


def _too_large(limits: Limits) -> RefusalError:
    return RefusalError(
        413,
        "payload-too-large",
        f"a body may have {limits.body_bytes // MEBIBYTE} MiB, inflated; send fewer sections at a time",
        headers={"Connection": "close"},
    )


def _broken(encoding: str) -> RefusalError:
    return RefusalError(400, "malformed-encoding", f"the body is no whole {encoding}")

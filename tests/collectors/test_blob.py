"""Streams from outside: digests, compression and bombs."""

import gzip
import hashlib
import io
import tracemalloc
from collections.abc import Iterator

import pytest
import zstandard

from collectors._blob import PIECE, Blob, Chunks, inflated
from detector.errors import UnseenError
from tests.collectors.archives import compressed

TEXT = b"".join(b"%d lines\n" % number for number in range(50_000))


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("form", ["", "gzip", "zstd"])
def test_what_is_sent_in_pieces_is_read_whole(form: str, size: int) -> None:
    sent = compressed(TEXT[: 3000 if size == 1 else None], form)
    blob = Blob(Chunks(_pieces(sent, size)))
    stream, was = inflated(blob)
    assert stream.read() == (TEXT[:3000] if size == 1 else TEXT)
    assert (was, blob.size) == (bool(form), len(sent))
    assert blob.digest == f"sha256:{hashlib.sha256(sent).hexdigest()}"


def test_several_frames_follow_each_other() -> None:
    # `zstd:chunked` and eStargz: a frame for each file, and one that holds no content.
    skippable = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
    for sent in (
        gzip.compress(b"a" * 10) + gzip.compress(b"b" * 10),
        compressed(b"a" * 10, "zstd") + compressed(b"b" * 10, "zstd") + skippable,
    ):
        assert inflated(Blob(io.BytesIO(sent)))[0].read() == b"a" * 10 + b"b" * 10


@pytest.mark.parametrize("form", ["gzip", "zstd"])
@pytest.mark.parametrize("mend", [lambda data: data[:-9], lambda data: data[:40] + b"\xff" * 40 + data[80:]])
def test_what_is_broken_or_cut_is_malformed(form: str, mend: object) -> None:
    sent = mend(compressed(TEXT, form))  # type: ignore[operator]
    if form == "zstd" and sent == compressed(TEXT, form)[:-9]:
        # Its frames tell no end: what is missing shows in the digest and to the reader of the archive.
        assert len(inflated(Blob(io.BytesIO(sent)))[0].read()) < len(TEXT)
        return
    with pytest.raises(UnseenError, match="malformed"):
        inflated(Blob(io.BytesIO(sent)))[0].read()


def _bomb(form: str) -> bytes:
    if form == "gzip":
        packer = gzip.zlib.compressobj(9, wbits=31)  # type: ignore[attr-defined]
    else:
        packer = zstandard.ZstdCompressor(level=19).compressobj()
    zeros = bytes(2**20)
    return b"".join([packer.compress(zeros) for _ in range(150)]) + bytes(packer.flush())


@pytest.mark.parametrize("form", ["gzip", "zstd"])
def test_a_bomb_is_refused_before_it_takes_memory(form: str) -> None:
    stream, _ = inflated(Blob(io.BytesIO(_bomb(form))))
    tracemalloc.start()
    try:
        with pytest.raises(UnseenError, match="too_large"):
            list(iter(lambda: stream.read(PIECE), b""))
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()


def test_a_run_without_time_ends_between_two_pieces() -> None:
    def over() -> None:
        raise UnseenError("timeout", "no time")

    with pytest.raises(UnseenError, match="timeout"):
        inflated(Blob(Chunks(iter([b"x"]), over)))[0].read()

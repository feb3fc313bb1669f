"""The reader of archives beside Python's own, and before archives that lie."""

import io
import subprocess
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors._tar import Member, members
from detector.errors import UnseenError
from tests.collectors.archives import Made, file, folder, hard_link, link, special, tar
from tests.proof import examples

BLOCK = 512


def _read(data: bytes) -> list[tuple[Member, bytes]]:
    stream: io.BufferedReader = io.BufferedReader(io.BytesIO(data))
    return [(member, content.read()) for member, content in members(stream)]


def _names(data: bytes) -> list[Member]:
    """Members whose contents are passed by."""
    stream: io.BufferedReader = io.BufferedReader(io.BytesIO(data))
    return [member for member, _ in members(stream)]


def _header(
    name: bytes, size: bytes = b"00000000000", kind: bytes = b"0", sum_of: bytes | None = None
) -> bytes:
    block = bytearray(BLOCK)
    block[: len(name)] = name
    block[100:107] = b"0000644"
    block[124 : 124 + len(size)] = size
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    block[148:156] = b"        "
    block[148:156] = sum_of if sum_of is not None else b"%06o\0 " % sum(block)
    return bytes(block)


_PARTS = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60
)
_PATHS = st.lists(_PARTS, min_size=1, max_size=6).map("/".join)
_MADE = st.one_of(
    st.builds(file, _PATHS, st.binary(max_size=1500), st.sampled_from([0o644, 0o755])),
    st.builds(folder, _PATHS),
    st.builds(link, _PATHS, _PATHS),
    st.builds(hard_link, _PATHS, _PATHS),
    st.builds(special, _PATHS, st.sampled_from([tarfile.FIFOTYPE, tarfile.CHRTYPE])),
)
_KINDS = {"0": "file", "1": "hard_link", "2": "link", "5": "folder"}


@settings(max_examples=examples(150))
@given(made=st.lists(_MADE, max_size=8), form=st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
def test_it_reads_what_tarfile_reads(made: list[Made], form: int) -> None:
    data = tar(*made, form=form)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        expected = []
        for one in archive:
            content = archive.extractfile(one) if one.isreg() else None
            kind = _KINDS.get(one.type.decode(), "other")
            expected.append((one.name, kind, one.linkname.rstrip("/"), content.read() if content else b""))
    found = [(m.name.rstrip("/"), m.kind, m.target.rstrip("/"), content) for m, content in _read(data)]
    assert found == [(name.rstrip("/"), *rest) for name, *rest in expected]
    assert [m.name for m in _names(data)] == [m.name for m, _ in _read(data)]


def test_ustar_splits_long_names() -> None:
    name = f"{'a' * 90}/{'b' * 90}"
    assert [m.name for m in _names(tar(file(name, b"x"), form=tarfile.USTAR_FORMAT))] == [name]


def test_a_program_is_told_by_its_mode() -> None:
    data = tar(file("bin/tool", b"x", 0o755), file("etc/conf", b"x"))
    assert [m.executable for m in _names(data)] == [True, False]


def test_a_size_in_base_256_is_read() -> None:
    size = b"\x80" + (700).to_bytes(11, "big")
    data = _header(b"a", size) + b"x" * 1024 + bytes(2 * BLOCK)
    ((member, content),) = _read(data)
    assert (member.size, content) == (700, b"x" * 700)


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_sparse_file_is_named_and_passed_by(form: int, tmp_path: Path) -> None:
    path = tmp_path / "disk"
    with path.open("wb") as written:
        for place in range(0, 60 * 65536, 2 * 65536):  # more holes than one header of GNU tar has room for
            written.seek(place)
            written.write(b"x" * 4096)
        written.truncate(1 << 30)
    how = "gnu" if form == tarfile.GNU_FORMAT else "posix"
    made = ["tar", "-C", str(tmp_path), f"--format={how}", "--sparse", "-cf", str(tmp_path / "s.tar"), "disk"]
    subprocess.run(made, check=True)
    (tmp_path / "after").write_bytes(b"x")
    subprocess.run(["tar", "-C", str(tmp_path), "-rf", str(tmp_path / "s.tar"), "after"], check=True)
    found = _names((tmp_path / "s.tar").read_bytes())
    assert [(m.name, m.odd) for m in found] == [("disk", "a sparse file"), ("after", "")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x7fELF" + bytes(600), "malformed"),
        (b"x" * 100, "malformed"),
        (_header(b"a", sum_of=b"000001\0 "), "malformed"),
        (_header(b"a", b"0000000000x"), "malformed"),
        (_header(b"a", b"00000000009"), "malformed"),  # nine is no digit of eight
        (_header(b"a", b"\xff" * 12), "malformed"),  # less than nothing
        (_header(b"a", b"\x80" + (2**80).to_bytes(11, "big")) + b"x" * 4096, "malformed"),  # a yobibyte
        (_header(b"a", b"00000000001"), "malformed"),  # one byte that is not there
        (_header(b"x", b"77777777777", b"x"), "too_large"),  # a pax header of 8 GiB
        (_header(b"x", b"77777777777", b"L"), "too_large"),
        (_header(b"x", b"00000000012", b"x") + b"99 path=a\n".ljust(BLOCK, b"\0"), "malformed"),
        (_header(b"x", b"00000000012", b"x") + b"0 path=aa\n".ljust(BLOCK, b"\0"), "malformed"),
        (_header(b"x", b"00000000012", b"x") + b"-9 path=a\n".ljust(BLOCK, b"\0"), "malformed"),
        (
            _header(b"x", b"00000000024", b"x")
            + b"20 size=99999999999\n".ljust(BLOCK, b"\0")
            + _header(b"a", b"00000000001")
            + bytes(BLOCK),
            "malformed",  # the size of the pax header counts, and is a lie
        ),
        (bytes(BLOCK) + _header(b"hidden"), "malformed"),
    ],
)
def test_what_lies_is_refused(data: bytes, reason: str) -> None:
    for read in (_names, _read):
        with pytest.raises(UnseenError) as caught:
            read(data)
        assert caught.value.reason == reason


def test_headers_without_end_take_no_memory() -> None:
    record = b"".join(b"%d key%07d=%s\n" % (1024, number, b"v" * 1007) for number in range(600))
    pax = _header(b"x", b"%011o" % len(record), b"x") + record + bytes(-len(record) % BLOCK)
    tracemalloc.start()
    try:
        with pytest.raises(UnseenError, match="headers of more than"):
            _names(pax * 20)
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    finally:
        tracemalloc.stop()


def test_a_cut_archive_never_ends_well() -> None:
    data = tar(file("a", b"x" * 3000), file("b" * 200, b"y" * 700), link("c", "a"), form=tarfile.GNU_FORMAT)
    whole = _names(data)
    end = len(data.rstrip(b"\0"))
    # Between two members the format cannot tell; digests do.
    between = {0: 0, 7 * BLOCK: 1, 12 * BLOCK: 2}
    for at in range(end):
        if at in between:
            assert _names(data[:at]) == whole[: between[at]]
        else:
            with pytest.raises(UnseenError, match="malformed"):
                _names(data[:at])

import gzip
import hashlib
import importlib.util
import os
import sys
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.errors import FileFormatError
from spinexplain.io import inflate
from spinexplain.io.files import sha256_file
from spinexplain.io.inflate import ByteStream

RANDOM = os.urandom(700_000)
LONG = RANDOM + bytes(2_000_000) + RANDOM[:5]  # incompressible, then very compressible


def read_all(path, step):
    pieces = []
    with ByteStream(path) as stream:
        while piece := stream.read(step):
            pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("step", [100_003, 5_000_000])
def test_gives_the_content_whatever_the_packing_and_the_step(tmp_path, pack, step):
    file = tmp_path / "named-anyhow"
    file.write_bytes(pack(LONG))
    assert read_all(file, step) == LONG


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=5), st.binary(max_size=3))
@settings(max_examples=50, deadline=None)
def test_reads_every_gzip_member_and_no_padding(tmp_path_factory, parts, padding):
    file = tmp_path_factory.getbasetemp() / "members.gz"
    file.write_bytes(b"".join(map(gzip.compress, parts)) + b"\0" + padding)
    assert read_all(file, 7) == b"".join(parts)


def test_fills_the_callers_memory(tmp_path):
    (tmp_path / "f").write_bytes(gzip.compress(b"vertebra"))
    buffer = bytearray(12)
    with ByteStream(tmp_path / "f") as stream:
        assert stream.readinto(memoryview(buffer)[2:]) == 8
    assert buffer == b"\0\0vertebra\0\0"


def test_bounds_what_can_come_out(tmp_path):
    for pack in (bytes, gzip.compress):
        (tmp_path / "f").write_bytes(pack(bytes(5_000_000)))
        with ByteStream(tmp_path / "f") as stream:
            assert 5_000_000 <= stream.most_bytes < 2 * 5_000_000


def test_damage_is_told_at_the_latest_by_the_checksum(tmp_path):
    packed = bytearray(gzip.compress(RANDOM))
    packed[300_000] ^= 0x10
    (tmp_path / "f").write_bytes(packed)
    with pytest.raises(FileFormatError, match="damaged"):
        read_all(tmp_path / "f", len(RANDOM))


def test_a_cut_stream_just_ends(tmp_path):
    (tmp_path / "f").write_bytes(gzip.compress(RANDOM)[:1000])
    assert 0 < len(read_all(tmp_path / "f", 300)) < len(RANDOM)


def test_missing_files_and_folders_are_one_clear_error(tmp_path):
    with pytest.raises(FileFormatError, match="no such file"):
        ByteStream(tmp_path / "missing")
    with pytest.raises(FileFormatError, match="is a folder"):
        ByteStream(tmp_path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("taken", [0, 100, 10**9])
def test_the_digest_is_given_the_whole_file_however_much_is_read(tmp_path, pack, taken):
    (tmp_path / "f").write_bytes(pack(LONG) + b"padding")
    digest = hashlib.sha256()
    with ByteStream(tmp_path / "f", digest) as stream:
        stream.drain(taken)
        stream.finish()
    assert digest.hexdigest() == sha256_file(tmp_path / "f")


def test_without_igzip_the_same_bytes_come_out_and_damage_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    spec = importlib.util.spec_from_file_location("inflate_by_zlib", inflate.__file__)
    without = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(without)
    assert (inflate._inflate.__name__, without._inflate) == ("isal.isal_zlib", zlib)
    packed = bytearray(gzip.compress(LONG) + gzip.compress(b"spine"))
    (tmp_path / "f").write_bytes(packed)
    with without.ByteStream(tmp_path / "f") as stream:
        assert stream.read(10**7) == LONG + b"spine"
    packed[300_000] ^= 0x10
    (tmp_path / "f").write_bytes(packed)
    with without.ByteStream(tmp_path / "f") as stream, pytest.raises(FileFormatError):
        stream.read(10**7)

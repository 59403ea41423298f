"""Zips: read in memory, bounded, and never trusted."""

import os
import stat
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.errors import FileFormatError
from spinexplain.io.archive import ZipLimits, is_zip, opened


def make(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def contents(path, limits=None):
    with opened(path, limits) as files:
        found = {}
        for file in files:
            with file.open() as stream:
                found[file.name] = stream.read()
        return found


def test_folders_zips_and_files_look_the_same(tmp_path):
    members = {"b/2": b"two", "a/1": b"one", "c": b""}
    for name, content in members.items():
        file = tmp_path / "folder" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    expected = {"1": b"one", "2": b"two", "c": b""}
    assert contents(tmp_path / "folder") == expected
    archive = make(tmp_path / "x.zip", {"dir/": b"", **members})
    assert contents(archive) == expected
    assert list(contents(archive)) == list(expected)
    assert contents(tmp_path / "folder" / "a" / "1") == {"1": b"one"}
    assert is_zip(archive)
    assert not is_zip(tmp_path / "folder" / "c")


def test_members_are_seekable(tmp_path):
    with opened(make(tmp_path / "x.zip", {"a": b"hello"})) as files, files[0].open() as stream:
        assert stream.read() == b"hello"
        stream.seek(1)
        assert stream.read() == b"ello"


def test_peeking_does_not_unpack_the_rest(tmp_path, monkeypatch):
    archive = make(tmp_path / "x.zip", {"film": b"start" + bytes(3_000_000)})
    asked = []
    whole = zipfile.ZipExtFile.read

    def read(stream, count=-1):
        asked.append(count)
        return whole(stream, count)

    monkeypatch.setattr(zipfile.ZipExtFile, "read", read)
    with opened(archive) as files:
        assert files[0].peek(5) == b"start"
    assert asked == [5]


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/passwd", "..\\evil", "C:\\evil", "a\\..\\..\\evil"]
)
def test_names_that_lead_out_are_refused(tmp_path, name):
    with pytest.raises(FileFormatError, match="leads out of it"):
        contents(make(tmp_path / "x.zip", {"fine": b"1", name: b"2"}))


def test_symbolic_links_are_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(FileFormatError, match="symbolic link"):
        contents(tmp_path / "x.zip")


def test_bombs_are_refused_before_anything_is_unpacked(tmp_path, monkeypatch):
    bomb = make(tmp_path / "x.zip", {f"{i}": bytes(1_000_000) for i in range(4)})
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    with pytest.raises(FileFormatError, match="times its size"):
        contents(bomb, ZipLimits(ratio_floor_bytes=1000))
    with pytest.raises(FileFormatError, match="unpacks to 4000000 bytes"):
        contents(bomb, ZipLimits(total_bytes=3_999_999))
    with pytest.raises(FileFormatError, match="holds 4 files"):
        contents(bomb, ZipLimits(files=3))


def test_a_plausible_archive_passes_the_same_limits(tmp_path):
    archive = make(tmp_path / "x.zip", {str(i): bytes(100_000) for i in range(4)})
    assert len(contents(archive, ZipLimits(files=4, total_bytes=400_000))) == 4


def test_overlapping_members_are_refused(tmp_path):
    """Many directory entries that point at one compressed member."""
    archive = make(tmp_path / "x.zip", {"a": zlib.compress(bytes(range(256)) * 40)})
    raw = archive.read_bytes()
    start = raw.index(b"PK\x01\x02")
    end = raw.index(b"PK\x05\x06")
    entry, tail = raw[start:end], bytearray(raw[end:])
    tail[8:12] = (30).to_bytes(2, "little") * 2
    tail[12:16] = (30 * len(entry)).to_bytes(4, "little")
    archive.write_bytes(raw[:start] + entry * 30 + bytes(tail))
    with pytest.raises(FileFormatError, match="overlap"):
        contents(archive)


def test_sizes_that_lie_are_found_while_reading(tmp_path):
    archive = make(tmp_path / "x.zip", {"a": bytes(10_000)})
    raw = bytearray(archive.read_bytes())
    entry = raw.index(b"PK\x01\x02")
    raw[entry + 24 : entry + 28] = (10).to_bytes(4, "little")
    archive.write_bytes(raw)
    with pytest.raises(FileFormatError, match="damaged"):
        contents(archive)
    raw[entry + 24 : entry + 28] = (20_000).to_bytes(4, "little")
    archive.write_bytes(raw)
    with pytest.raises(FileFormatError, match="declares other sizes"):
        contents(archive)


def test_encrypted_members_are_refused(tmp_path):
    archive = make(tmp_path / "x.zip", {"a": b"secret"})
    raw = bytearray(archive.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(raw)
    with pytest.raises(FileFormatError, match="encrypted"):
        contents(archive)


def test_a_folder_that_can_not_be_listed_is_named(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(FileFormatError, match=r"cannot be listed \(Permission denied\)"):
        contents(tmp_path)


def test_dangling_links_and_pipes_in_a_folder_are_left_out(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe")
    assert contents(tmp_path) == {"a": b"1"}


def test_what_does_not_exist(tmp_path):
    with pytest.raises(FileFormatError, match="no such file or folder"):
        contents(tmp_path / "nothing")


def failure(path):
    """Return the error of reading a zip; any class but ours ends the test."""
    try:
        contents(path)
    except FileFormatError as error:
        return error
    return None


@given(st.binary(max_size=300), st.integers(0, 10**6))
def test_mutated_zips_fail_in_words(tmp_path_factory, noise, place):
    folder = tmp_path_factory.mktemp("zip")
    raw = make(folder / "x.zip", {"a/b": b"content" * 9, "c": bytes(500)}).read_bytes()
    place %= len(raw)
    (folder / "y.zip").write_bytes(raw[:place] + noise + raw[place + len(noise) :])
    found = failure(folder / "y.zip")
    assert found is None or "y.zip" in str(found)

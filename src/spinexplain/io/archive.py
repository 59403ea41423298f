"""Files of a folder or a zip as streams; nothing from a zip is ever written to disk."""

from __future__ import annotations

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from spinexplain.errors import FileFormatError

_BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,  # compression methods that zipfile does not know
    RuntimeError,  # encrypted members
    ValueError,
    OSError,
)


@dataclass(frozen=True)
class ZipLimits:
    """What a zip may hold before it counts as a bomb.

    Parameters
    ----------
    files : int
        Number of members.
    total_bytes : int
        Sum of the unpacked sizes.
    ratio : float
        Unpacked over packed size of the whole archive; a CT packs to a half or a third.
    ratio_floor_bytes : int
        Below this unpacked total any ratio is harmless.
    """

    files: int = 50_000
    total_bytes: int = 8 * 2**30
    ratio: float = 200.0
    ratio_floor_bytes: int = 256 * 2**20


@dataclass(frozen=True)
class Member:
    """One file of a folder or a zip.

    Parameters
    ----------
    name : str
        File name without its folders: folder names of an export often name the patient.
    open : callable
        Opens it for reading, seekable; a member of a zip is unpacked into memory.
    peek : callable
        Returns its first bytes, as many as asked for, without unpacking the rest.
    """

    name: str
    open: Callable[[], BinaryIO]
    peek: Callable[[int], bytes]


def is_zip(path: Path) -> bool:
    """Whether a file starts like a zip, whatever its name.

    Examples
    --------
    >>> is_zip(Path(__file__))
    False
    """
    with path.open("rb") as stream:
        return stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


@contextmanager
def opened(path: Path, limits: ZipLimits | None = None) -> Iterator[list[Member]]:
    """List the files of a folder (nested folders too), of a zip, or the one file itself.

    Parameters
    ----------
    path : Path
        Folder, zip file or any other file.
    limits : ZipLimits, optional
        When a zip is refused as a bomb.

    Yields
    ------
    list of Member
        Sorted by their full names; readable inside the context only.

    Raises
    ------
    FileFormatError
        If ``path`` does not exist, or is a zip that is broken, encrypted, a bomb, or holds
        symbolic links or names that lead out of it.
    """
    if path.is_dir():
        yield list(_folder_members(path))
    elif not path.is_file():
        raise FileFormatError(f"{path}: no such file or folder. Check the path.")
    elif not is_zip(path):
        yield [_plain_member(path)]
    else:
        with _opened_zip(path) as archive:
            yield _zip_members(path, archive, limits or ZipLimits())


def _folder_members(folder: Path) -> Iterator[Member]:
    def refuse(error: OSError) -> None:
        raise FileFormatError(f"{error.filename}: cannot be listed ({error.strerror}).")

    files = []
    for root, _, names in os.walk(folder, onerror=refuse):
        files += [Path(root) / name for name in names]
    for file in sorted(files):
        if file.is_file():  # not a socket, a device or a dangling link
            yield _plain_member(file)


def _plain_member(path: Path) -> Member:
    def peek(count: int) -> bytes:
        with path.open("rb") as stream:
            return stream.read(count)

    return Member(path.name, lambda: path.open("rb"), peek)


def _opened_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _BROKEN_ZIP as error:
        raise FileFormatError(
            f"{path}: not a readable zip ({type(error).__name__}). Zip the series again."
        ) from None


def _zip_members(path: Path, archive: zipfile.ZipFile, limits: ZipLimits) -> list[Member]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    _check_entries(path, entries, limits)
    entries.sort(key=lambda entry: entry.filename)
    return [_packed_member(path, archive, entry) for entry in entries]


def _packed_member(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Member:
    return Member(
        PurePosixPath(entry.filename).name,
        lambda: io.BytesIO(_unpacked(path, archive, entry)),
        lambda count: _read_entry(path, archive, entry, count),
    )


def _check_entries(path: Path, entries: list[zipfile.ZipInfo], limits: ZipLimits) -> None:
    total = sum(entry.file_size for entry in entries)
    packed = path.stat().st_size
    if len(entries) > limits.files:
        _refuse(path, f"holds {len(entries)} files, expected at most {limits.files}")
    if total > limits.total_bytes:
        _refuse(path, f"unpacks to {total} bytes, expected at most {limits.total_bytes}")
    if total > limits.ratio_floor_bytes and total > limits.ratio * packed:
        _refuse(path, f"unpacks to {total // packed} times its size: this looks like a zip bomb")
    if sum(entry.compress_size for entry in entries) > packed:
        _refuse(path, "has members that overlap: this looks like a zip bomb")
    for entry in entries:
        _check_entry(path, entry)


def _check_entry(path: Path, entry: zipfile.ZipInfo) -> None:
    parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
    if not parts or ".." in parts or parts[0] == "/" or parts[0].endswith(":"):
        _refuse(path, "has a member whose name leads out of it")
    if stat.S_ISLNK(entry.external_attr >> 16):
        _refuse(path, f"has a symbolic link in it ({parts[-1]!r})")
    if entry.flag_bits & 0x1:
        _refuse(path, "is encrypted; expected a plain zip")


def _refuse(path: Path, finding: str) -> None:
    raise FileFormatError(f"{path}: {finding}. Unpack it yourself and give the folder.")


def _unpacked(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Unpack one member, never beyond the size its directory entry declares."""
    content = _read_entry(path, archive, entry, entry.file_size + 1)
    if len(content) != entry.file_size:
        _refuse(path, "declares other sizes for its members than they have")
    return content


def _read_entry(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, count: int) -> bytes:
    try:
        with archive.open(entry) as stream:
            return stream.read(count)
    except _BROKEN_ZIP as error:
        raise FileFormatError(
            f"{path}: its member {PurePosixPath(entry.filename).name!r} is damaged "
            f"({type(error).__name__}). Zip the series again."
        ) from None

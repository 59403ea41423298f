"""A byte stream over a plain or gzip-compressed file, read straight into a buffer."""

from __future__ import annotations

import importlib
import zlib
from contextlib import suppress
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Protocol

from spinexplain.errors import FileFormatError
from spinexplain.io.files import unreadable

_inflate: ModuleType = zlib
with suppress(ImportError):  # without a wheel for the platform: the same bytes, more slowly
    _inflate = importlib.import_module("isal.isal_zlib")  # half of zlib's time or less

_CHUNK = 1 << 18
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_RATIO = 1032  # a deflate stream cannot expand further than this
_DAMAGED = (zlib.error, _inflate.error)


class Digest(Protocol):
    """What takes the bytes of a file as they are read, such as a ``hashlib`` hash."""

    def update(self, data: bytes, /) -> None:
        """Take the next bytes."""


class ByteStream:
    """Reads a file's content into memory that the caller owns, inflating gzip on the way.

    Compression is recognized by the first bytes, not from the name. Compared with
    :mod:`gzip` it keeps no window of its own and copies every byte once.

    Parameters
    ----------
    path : path
    digest : Digest, optional
        Is given the file's bytes as they lie on disk; all of them after :meth:`finish`.

    Raises
    ------
    FileFormatError
        If the file is missing, a folder or not readable.

    Examples
    --------
    >>> import gzip, tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = Path(file.name).write_bytes(gzip.compress(b"spine"))
    ...     with ByteStream(file.name) as stream:
    ...         stream.read(3), stream.read(9)
    (b'spi', b'ne')
    """

    def __init__(self, path: str | Path, digest: Digest | None = None) -> None:
        self.path = path
        self._digest = digest
        try:
            self._file = open(path, "rb")  # noqa: SIM115 - closed by close()
            self._size = Path(path).stat().st_size
            magic = self._file.read(2)
            self._file.seek(0)
        except OSError as error:
            raise unreadable(path, error) from None
        self._inflater = _inflate.decompressobj(31) if magic == _GZIP_MAGIC else None
        self._pending = b""

    def __enter__(self) -> ByteStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def most_bytes(self) -> int:
        """No more bytes than these can come out of the file."""
        return self._size if self._inflater is None else self._size * _MAX_RATIO

    def read(self, count: int) -> bytes:
        """Read up to ``count`` bytes; fewer only at the end of the file."""
        buffer = bytearray(count)
        return bytes(buffer[: self.readinto(memoryview(buffer))])

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer of bytes; return how many there were until the end of the file.

        Raises
        ------
        FileFormatError
            If the compressed data are damaged.
        """
        done = 0
        try:
            while done < len(buffer):
                piece = self._piece(len(buffer) - done)
                if not piece:
                    break
                buffer[done : done + len(piece)] = piece
                done += len(piece)
        except OSError as error:
            raise unreadable(self.path, error) from None
        except _DAMAGED as error:
            raise FileFormatError(
                f"{self.path}: the compressed data are damaged ({error}); expected a whole gzip "
                "file. Copy or download it again."
            ) from None
        return done

    def drain(self, limit: int) -> None:
        """Read up to ``limit`` bytes more, so that the checksum at the end is verified."""
        scratch = memoryview(bytearray(min(limit, _CHUNK)))
        while limit > 0 and (count := self.readinto(scratch)):
            limit -= count

    def finish(self) -> None:
        """Give the digest what is left of the file."""
        try:
            while self._digest is not None and self._from_disk(16 * _CHUNK):
                pass
        except OSError as error:
            raise unreadable(self.path, error) from None

    def _from_disk(self, count: int) -> bytes:
        """Read up to ``count`` bytes as they lie in the file."""
        found = self._file.read(count)
        if self._digest is not None:
            self._digest.update(found)
        return found

    def _piece(self, wanted: int) -> bytes:
        """Return some of the next bytes; none at the end of the file."""
        if self._inflater is None:
            return self._from_disk(min(wanted, 16 * _CHUNK))
        piece = b""
        while not piece:
            if self._inflater.eof and not self._next_member():
                return b""
            source = self._pending or self._from_disk(_CHUNK)
            if not source:
                return b""
            piece = self._inflater.decompress(source, min(wanted, 16 * _CHUNK))
            self._pending = self._inflater.unconsumed_tail
        return piece

    def _next_member(self) -> bool:
        """Start on the next gzip member, if there is one (bgzip writes many)."""
        assert self._inflater is not None
        rest = self._inflater.unused_data or self._from_disk(_CHUNK)
        if not rest.startswith(_GZIP_MAGIC):
            return False
        self._inflater = _inflate.decompressobj(31)
        self._pending = rest
        return True

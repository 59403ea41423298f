"""Writing files and folders so that a crash leaves nothing half-written."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from spinexplain.errors import FileFormatError, OutputError

_MARKER = ".spinexplain"
_MARKER_TEXT = "Written by spinexplain; --force may replace this folder.\n"


def sha256_file(path: str | Path) -> str:
    """Hash a file's bytes with SHA-256, as 64 hexadecimal digits.

    Raises
    ------
    FileFormatError
        If the file is missing or cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as empty:
    ...     sha256_file(empty.name)[:12]
    'e3b0c44298fc'
    """
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from None


def sha256_path(path: str | Path) -> str:
    """Hash a file, or the names and hashes of the files right inside a folder.

    Raises
    ------
    FileFormatError
        If a file is missing or cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "vertebrae_L1.nii").write_bytes(b"")
    ...     sha256_path(folder)[:12]
    '66b944dde304'
    """
    path = Path(path)
    if not path.is_dir():
        return sha256_file(path)
    digest = hashlib.sha256()
    for one in sorted(item for item in path.iterdir() if item.is_file()):
        digest.update(f"{one.name}\0{sha256_file(one)}\n".encode())
    return digest.hexdigest()


def unreadable(path: str | Path, error: OSError) -> FileFormatError:
    """Turn an operating system's error on reading ``path`` into one with a remedy."""
    if isinstance(error, FileNotFoundError):
        return FileFormatError(f"{path}: no such file. Check the path.")
    if isinstance(error, IsADirectoryError):
        return FileFormatError(f"{path}: is a folder; expected a file. Name the file inside it.")
    reason = error.strerror or str(error)
    return FileFormatError(
        f"{path}: cannot be read ({reason}); expected a readable file. "
        "Check the permissions and the disk."
    )


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Write a file under a temporary name and rename it into place on success.

    An existing file is replaced in one step; on an exception it stays as it was and the
    temporary file is removed.

    Yields
    ------
    Path
        Temporary path in the same folder with the same extension.

    Raises
    ------
    OutputError
        If the folder is missing, or the file cannot be written or renamed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_file(Path(folder) / "note.txt") as temporary:
    ...         _ = temporary.write_text("done")
    ...     (Path(folder) / "note.txt").read_text()
    'done'
    """
    path = Path(path)
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; expected a file name to write to.")
    temporary = path.with_name(f".{os.getpid()}-{os.urandom(4).hex()}-{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def output_folder(path: str | Path, force: bool = False) -> Iterator[Path]:
    """Fill a temporary folder and rename it into place on success.

    Parameters
    ----------
    path : path
        Where the folder shall be. Its parents are created, and removed again on failure.
    force : bool
        Whether an existing folder is replaced. Only a folder that this function wrote,
        or an empty one, ever is: nobody loses a folder of scans to a mistyped option.

    Yields
    ------
    Path
        Temporary folder beside ``path``; removed if an exception leaves the block.

    Raises
    ------
    OutputError
        If ``path`` exists and may not be replaced, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     out = Path(parent) / "out"
    ...     with output_folder(out) as temporary:
    ...         _ = (temporary / "result.json").write_text("{}")
    ...     sorted(item.name for item in out.iterdir())
    ['.spinexplain', 'result.json']
    """
    path = Path(path).absolute()
    _check_replaceable(path, force)
    missing = [folder for folder in path.parents if not os.path.exists(folder)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    except OSError as error:
        _remove_empty(missing)
        raise _unwritable(path, error) from error
    try:
        temporary.chmod(0o777 & ~_umask())
        (temporary / _MARKER).write_text(_MARKER_TEXT)
        yield temporary
        _check_replaceable(path, force)  # it may have appeared meanwhile
        _swap(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    except OutputError as error:
        # The user knows the folder by the name that was asked for.
        raise OutputError(str(error).replace(str(temporary), str(path))) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        _remove_empty(missing)


def kept_folder(path: Path, mode: int = 0o777) -> Path:
    """Make a folder that is added to over time, and its parents, where they are missing.

    Raises
    ------
    OutputError
        If it cannot be made, or nothing can be written into it.
    """
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def _remove_empty(folders: list[Path]) -> None:
    """Remove folders that hold nothing, innermost first; one in use ends it."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _swap(temporary: Path, path: Path) -> None:
    """Put ``temporary`` where ``path`` is; the old folder goes last of all."""
    old = temporary.with_name(temporary.name + "-old")
    if path.exists():
        os.replace(path, old)
    try:
        os.replace(temporary, path)
    except OSError:
        if old.exists():
            os.replace(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _check_replaceable(path: Path, force: bool) -> None:
    if not os.path.lexists(path):
        return
    if not force:
        raise OutputError(
            f"{path} exists already; expected a new folder. "
            "Choose another one, or add --force to replace it."
        )
    if path.is_symlink() or not path.is_dir():
        raise OutputError(f"{path} is no folder; --force replaces only folders. Remove it first.")
    if not (path / _MARKER).is_file() and any(path.iterdir()):
        raise OutputError(
            f"{path} holds files that spinexplain did not write; --force replaces only its own "
            "folders. Choose another one, or remove it yourself."
        )


def _unwritable(path: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    return OutputError(
        f"{path}: cannot be written ({reason}). "
        "Check that the folder exists, its permissions and the free space."
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def check_new_file(out: Path, force: bool) -> None:
    """Refuse an output file that exists, or whose folder does not, before anything is read.

    Raises
    ------
    OutputError
    """
    if out.exists() and not force:
        raise OutputError(f"{out} exists already; choose another name or add --force.")
    if not out.absolute().parent.is_dir():
        raise OutputError(f"{out}: there is no folder {out.parent}. Make it first.")

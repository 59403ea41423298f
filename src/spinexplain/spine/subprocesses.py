"""Another program in its own environment: watched, bounded in time, never through a shell."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from spinexplain.errors import LocalizerError

_TAIL_LINES = 20
_LINE_END = re.compile(rb"[\r\n]+")
_LONGEST_LINE = 2000
_GRACE_S = 5.0

Note = Callable[[str], None]


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Parameters
    ----------
    code : int
        Its exit code; negative for a signal.
    tail : tuple of str
        The last lines it wrote, standard error before standard output.
    """

    code: int
    tail: tuple[str, ...]


def run_program(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    timeout_s: float,
    note: Note | None = None,
) -> Finished:
    """Run a program, pass its lines on, and end it with all its children when time is up.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    folder : Path
        Where it runs.
    environment : mapping of str to str
        All of its environment variables.
    timeout_s : float
        Seconds until the whole process group is killed.
    note : callable, optional
        Called with every line of output, printable characters only, as it comes.

    Raises
    ------
    LocalizerError
        If it cannot be started, or takes longer than ``timeout_s``.
    """
    try:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise LocalizerError(f"{command[0]}: cannot be started ({reason}).") from None
    outputs = [_Lines(stream, note) for stream in (process.stderr, process.stdout) if stream]
    try:
        process.wait(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise LocalizerError(
            f"{command[0]}: was stopped after {timeout_s:g} s without a result; expected it to "
            "finish. Allow more time, or use a faster tool or a machine with a GPU."
        ) from None
    finally:
        _end_group(process)
        for output in outputs:
            output.finish()
    tail = [line for output in outputs for line in output.tail]
    return Finished(process.returncode, tuple(tail[:_TAIL_LINES]))


class _Lines:
    """Reads one stream in a thread of its own, so that a full pipe never blocks the program."""

    def __init__(self, stream: IO[bytes], note: Note | None) -> None:
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._stream = stream
        self._note = note
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait for the rest; a child that left the group may still hold the pipe open."""
        self._thread.join(_GRACE_S)
        if not self._thread.is_alive():
            self._stream.close()
        if self._failure is not None:
            raise self._failure

    def _read(self) -> None:
        rest = b""
        while chunk := os.read(self._stream.fileno(), 65536):
            *lines, rest = _LINE_END.split(rest + chunk)
            rest = rest[-_LONGEST_LINE:]
            for line in lines:
                self._pass_on(line)
        self._pass_on(rest)

    def _pass_on(self, line: bytes) -> None:
        text = line[:_LONGEST_LINE].decode("utf-8", "replace").rstrip()
        text = "".join(char if char.isprintable() else " " for char in text)
        if text.strip():
            self.tail.append(text)
            self._report(text)

    def _report(self, text: str) -> None:
        """Call the observer; should it fail, go on reading and raise at the end."""
        try:
            if self._note is not None and self._failure is None:
                self._note(text)
        except Exception as error:
            self._failure = error


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of the program and its children."""
    with suppress(ProcessLookupError, PermissionError):  # all of them have ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

"""The node's log: one JSON object a line, with fields that can hold no patient data."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import TextIO

# Only these fields are ever written. Keys of series are hashes; reasons are names of rules
# and of errors, never texts from a header.
FIELDS = frozenset(
    ["key", "state", "reason", "seconds", "attempt", "count", "stage", "urgency", "free_gib", "why"]
)

Log = Callable[..., None]


def json_log(stream: TextIO | None = None) -> Log:
    """Return a function that writes one event a line.

    Parameters
    ----------
    stream : text file, optional
        Standard error by default.

    Examples
    --------
    >>> import io
    >>> stream = io.StringIO()
    >>> json_log(stream)("graded", key="ab12", seconds=3.14159)
    >>> sorted(json.loads(stream.getvalue()))
    ['event', 'key', 'seconds', 'time']
    """

    def write(event: str, **fields: object) -> None:
        if strangers := set(fields) - FIELDS:
            raise ValueError(f"the log has no field {sorted(strangers)[0]!r}.")
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = {"time": moment, "event": event} | {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in fields.items()
        }
        out = sys.stderr if stream is None else stream
        out.write(json.dumps(line, ensure_ascii=True) + "\n")
        out.flush()

    return write

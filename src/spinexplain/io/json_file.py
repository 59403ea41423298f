"""Writes JSON files as the package writes them: complete or not at all, and readable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spinexplain.io.files import atomic_file


def write_json(path: Path, content: Any, *, only_finite: bool = False) -> None:
    """Write JSON with one space of indent and a last line break; replace what is there.

    Parameters
    ----------
    path : Path
    content : Any
        Of dictionaries, lists, text and numbers.
    only_finite : bool
        Whether NaN and infinities, which JSON does not know, are refused.

    Raises
    ------
    ValueError
        If a number is not finite and ``only_finite`` is set; the file stays as it was.
    """
    text = json.dumps(content, indent=1, allow_nan=not only_finite)
    with atomic_file(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")

"""One number for settings, so that results are only ever compared with their own kind."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def settings_hash(settings: Any) -> str:
    """Hash JSON-ready settings, whatever the order of their keys.

    Examples
    --------
    >>> settings_hash({"a": 1, "b": 2}) == settings_hash({"b": 2, "a": 1})
    True
    """
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

"""Put into the default's bundle what ``spinexplain reproduce sides`` stored, for reports to say.

python scripts/side_reliability.py
"""

from __future__ import annotations

import json
from pathlib import Path

from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.models.bundle.folder import locate
from spinexplain.models.bundle.sides import store_sides
from spinexplain.reproduce.sides import RESULTS, reliability

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    stored = json.loads((ROOT / "docs" / "results" / RESULTS).read_text("utf-8"))
    store_sides(locate(DEFAULT_MODEL), reliability(stored))

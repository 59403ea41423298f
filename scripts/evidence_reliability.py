"""Put into the default's bundle what `evidence_bars.py` stored of its maps on `placement`.

    python scripts/evidence_reliability.py

Reports then say it beside the maps. Crops were moved there, which is harder than what
``score-explanations --store`` asks; that command replaces it.
"""

from __future__ import annotations

import json
from pathlib import Path

from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.models.bundle.evidence import store_evidence
from spinexplain.models.bundle.folder import locate
from spinexplain.types import EvidenceReliability

ROOT = Path(__file__).resolve().parents[1]
STORED, COLUMN, PRESET = "evidence-bars-version-4.json", "version 4", "placement"


def reliability() -> EvidenceReliability:
    """Return which endplate the sum of a class's maps is strongest at, and how often that is it."""
    stored = json.loads((ROOT / "docs" / "results" / STORED).read_text("utf-8"))
    asked = stored[COLUMN][PRESET]["placement"]["endplate"]
    value, low, high = asked["sum (mean)"]
    return EvidenceReliability(
        "prototypes", PRESET, value, low, high, fractures=sum(asked["asked"].values())
    )


if __name__ == "__main__":
    store_evidence(locate(DEFAULT_MODEL), [reliability()])

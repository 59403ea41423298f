"""Store how much better the default's prototypes are than a control's maps, pair by pair.

    python scripts/evidence_paired.py OUT.json OURS THEIRS --cohort FOLDER

``OURS`` and ``THEIRS`` are folders that ``spinexplain score-explanations`` wrote, of the default
and of the control, and ``FOLDER`` is the cohort in one of them. Nothing is chosen here: every map
of the control that was scored is compared.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from spinexplain.analysis.explanations.chunk import read_chunks
from spinexplain.analysis.explanations.figures import Scoring
from spinexplain.analysis.explanations.paired import paired_differences
from spinexplain.analysis.explanations.pieces import folder_name
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.data.cohort import Cohort
from spinexplain.reproduce.mask_places import scored

EXPLAINER = "prototypes"


def maps_of(folder: Path, model: str, explainer: str) -> np.ndarray:
    """Return the stored maps of an explainer, in the order of the bench."""
    found = sorted(folder.glob(f"pieces/{model}-*/{folder_name(explainer)}/maps-*.npz"))
    if not found:
        raise SystemExit(f"{folder} has no maps of {explainer}; expected some of {model}.")
    return read_chunks(found)["maps"]


def compared(scoring: Scoring, ours: Path, theirs: Path) -> list[dict[str, object]]:
    """Compare our prototypes with every map of the other folder."""
    own = maps_of(ours, DEFAULT_MODEL, EXPLAINER)
    rows = json.loads((theirs / "leaderboard.json").read_text("utf-8"))["rows"]
    found = []
    for row in rows:
        model, explainer = row["model"], row["explainer"]
        difference = paired_differences(scoring, own, maps_of(theirs, model, explainer))
        found.append({"model": model, "explainer": explainer, **difference})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("ours", type=Path)
    parser.add_argument("theirs", type=Path)
    parser.add_argument("--cohort", type=Path, required=True)
    options = parser.parse_args()
    scoring = scored(Cohort.open(options.cohort))
    content = {
        "explainer": EXPLAINER,
        "fractures": len(scoring.opponents.rows),
        "seed": scoring.seed,
        "draws": scoring.draws,
        "rows": compared(scoring, options.ours, options.theirs),
    }
    options.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

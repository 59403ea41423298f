"""From the table of witnesses to the verdict's calibration and its figures.

``python -m spinexplain.reproduce.verdict_fit docs/results`` does so again from the stored table.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from spinexplain.analysis.verdict.bench import ROUTES
from spinexplain.analysis.verdict.ceilings import stated_ceilings
from spinexplain.analysis.verdict.coverage import (
    beyond_terms,
    coverage_figures,
    crossed_sets,
    graded_sets,
    heard,
    is_beyond,
    sets_by_score,
    widened_where,
)
from spinexplain.analysis.verdict.figures import judged, same_by_every_route, verdict_figures
from spinexplain.analysis.verdict.fit import fit_sets
from spinexplain.analysis.verdict.limits import limits
from spinexplain.analysis.verdict.middle import stated_middle
from spinexplain.analysis.verdict.severity import COVERAGE, calibrated, fit_scales, usual_image
from spinexplain.analysis.verdict.stored_table import read_table
from spinexplain.findings.weighing import VerdictCalibration, as_content
from spinexplain.findings.witness import BROAD, HEIGHTS, PROTOTYPES
from spinexplain.io.files import atomic_file

RESULTS = "verdict.json"
TABLE = "verdict-witnesses.csv.gz"
"""What every witness says of every vertebra that the default model was fitted and tested on."""
FITTED = ("balanced", "hospital-like")
NEW = {"hard-new": "hard", "verse-like-new": "verse-like"}
"""Group of persons that nobody had looked at when heights were last changed -> its preset."""
TESTED = ("verse-like", "hard", *NEW, "shifted-scanner", "familiar-scanner")
CALIBRATED = ("verse-like", "hard")
"""No training has these presets. Sets of their own spines come from the other half of them."""
OPPONENTS = {"together": (PROTOTYPES, HEIGHTS), "network": (PROTOTYPES,), "heights": (HEIGHTS,)}


def stated(table: pd.DataFrame, weights_sha256: str) -> dict[str, Any]:
    """Fit the verdict to a table of witnesses, and test it.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~spinexplain.analysis.verdict.table.witness_table`.
    weights_sha256 : str
        Of the network that was asked.
    """
    calibration = fitted(table, weights_sha256)
    earlier = fitted(_of_the_middle_third(table), weights_sha256)
    return {
        "fitted_on": counts(table[table["group"].isin(FITTED)]),
        "tested": {
            name: group_figures(table, name, calibration) | _as_earlier(table, name, earlier)
            for name in TESTED
        },
        "bounds": {name: _bounds(table, name, calibration) for name in TESTED},
        "limits": {name: _limits(table, name, calibration) for name in TESTED},
        "coverage": {name: set_figures(table, name, calibration) for name in TESTED},
        "calibration": as_content(calibration),
    }


def _of_the_middle_third(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out what most of the body shows: heights then speak as in earlier versions."""
    return table.drop(columns=HEIGHTS + BROAD, errors="ignore")


def _as_earlier(table: pd.DataFrame, group: str, calibration: VerdictCalibration) -> dict[str, Any]:
    """Return the figures with heights of the middle third, fitted to the very same spines."""
    rows = _of_the_middle_third(table[(table["group"] == group) & (table["route"] == "labels")])
    return {"earlier": verdict_figures(rows, judged(rows, calibration))}


def _limits(table: pd.DataFrame, group: str, calibration: VerdictCalibration) -> dict[str, Any]:
    by_mask = table[table["route"] == "labels"]
    rows = by_mask[by_mask["group"] == group]
    chosen = by_mask[by_mask["group"].isin(FITTED)]
    return limits(chosen, rows, judged(rows, calibration))


def _bounds(table: pd.DataFrame, group: str, calibration: VerdictCalibration) -> dict[str, Any]:
    """Return what the best lines would reach on a group, and what makes its middle states."""
    by_mask = table[table["route"] == "labels"]
    rows, chosen = by_mask[by_mask["group"] == group], by_mask[by_mask["group"].isin(FITTED)]
    preset = NEW.get(group, group)
    reached = stated_ceilings(chosen, rows, calibration, preset)
    return reached | stated_middle(rows, calibration, preset)


def fitted(table: pd.DataFrame, weights_sha256: str) -> VerdictCalibration:
    """Fit every set of witnesses on the choosing presets, by the route with a mask.

    Weights, lines and the score of severity come from the choosing presets, each grade's range
    of severity from presets of no training, the usual image from both.
    """
    by_mask = table[table["route"] == "labels"]
    chosen = by_mask[by_mask["group"].isin(FITTED)]
    holding = _assessable(by_mask[by_mask["group"].isin(CALIBRATED)])
    fitted_on = counts(chosen)
    return VerdictCalibration(
        {PROTOTYPES: weights_sha256},
        fit_sets(chosen),
        {
            **fitted_on,
            "sets_fitted_on": fitted_on,
            "calibrated_on": {**counts(holding), "table_sha256": table_hash(holding)},
        },
        calibrated(fit_scales(_assessable(chosen)), holding),
        COVERAGE,
        usual_image(pd.concat([_assessable(chosen), holding])),
    )


def table_hash(table: pd.DataFrame) -> str:
    """Hash which vertebrae a table holds and what each witness says of them."""
    lines = table.sort_values(["group", "subject", "level"]).to_csv(
        index=False, float_format="%.6g"
    )
    return hashlib.sha256(lines.encode()).hexdigest()


def set_figures(table: pd.DataFrame, group: str, calibration: VerdictCalibration) -> dict[str, Any]:
    """Return how often sets of grades hold the true one: as shipped, not widened, by opponents.

    Spines of the calibrating presets are judged by the other half of those; all others by the
    ranges that ship.
    """
    by_mask = _assessable(table[table["route"] == "labels"])
    rows = by_mask[by_mask["group"] == group]
    rows = rows[[bool(heard(row, (PROTOTYPES,))) for row in rows.to_dict("records")]]
    if group in CALIBRATED:
        holding = by_mask[by_mask["group"].isin(CALIBRATED)]
        holding = holding[holding[PROTOTYPES].notna()]
        own = (holding["group"] == group).to_numpy()
        crossed = crossed_sets(holding, calibration.scales)
        plain = [one for one, here in zip(crossed, own, strict=True) if here]
        rows = holding[own]
    else:
        plain = graded_sets(rows, calibration.scales)
    beyond = is_beyond(rows, calibration.image)
    return {
        "vertebrae": len(rows),
        "beyond": int(beyond.sum()),
        "terms": beyond_terms(rows, calibration.image),
        "sets": coverage_figures(rows, widened_where(plain, beyond)),
        "not_widened": coverage_figures(rows, plain),
        "by_score": coverage_figures(rows, sets_by_score(rows)),
        "constant": coverage_figures(rows, [("G0",)] * len(rows)),
    }


def _assessable(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["refusal"] == ""]


def group_figures(
    table: pd.DataFrame, group: str, calibration: VerdictCalibration
) -> dict[str, Any]:
    """Return the figures of one group: all witnesses, each alone, and the three routes."""
    rows = table[table["group"] == group]
    by_mask = rows[rows["route"] == "labels"]
    figures: dict[str, Any] = {
        name: verdict_figures(by_mask, judged(by_mask, calibration, using))
        for name, using in OPPONENTS.items()
    }
    if rows["route"].nunique() > 1:
        figures["same_by_every_route"] = {
            name: same_by_every_route(rows, judged(rows, calibration, OPPONENTS[name]))
            for name in ("together", "network")
        }
        figures["by_route"] = _by_route(rows, calibration)
    return figures


def _by_route(rows: pd.DataFrame, calibration: VerdictCalibration) -> dict[str, Any]:
    """Return what the verdict is worth by each route, on the persons taken by all of them."""
    every = set(rows[rows["route"] == ROUTES[1]]["subject"])
    parts = {r: rows[(rows["route"] == r) & rows["subject"].isin(every)] for r in ROUTES}
    return {r: verdict_figures(part, judged(part, calibration)) for r, part in parts.items()}


def counts(table: pd.DataFrame) -> dict[str, Any]:
    """Count what a table of witnesses holds by the route with a mask, for the page."""
    by_mask = table[table["route"] == "labels"]
    return {
        "presets": sorted(by_mask["group"].unique()),
        "spines": int(by_mask["subject"].nunique()),
        "normal_spines": int(by_mask[by_mask["normal"]]["subject"].nunique()),
        "vertebrae": len(by_mask),
        "grades": {str(k): int(v) for k, v in by_mask["grade"].value_counts().items()},
    }


def refit(results: Path) -> Path:
    """Fit and test again from the stored table; the comparison of networks stays as it was.

    Parameters
    ----------
    results : Path
        Folder with ``verdict-witnesses.csv.gz`` and ``verdict.json``.
    """
    table = read_table(results / TABLE)
    before = json.loads((results / RESULTS).read_text("utf-8"))
    found = stated(table, table["weights_sha256"].iloc[0])
    with atomic_file(results / RESULTS) as temporary:
        temporary.write_text(json.dumps({**before, **found}, indent=1) + "\n", encoding="utf-8")
    return results / RESULTS


if __name__ == "__main__":
    refit(Path(sys.argv[1]))

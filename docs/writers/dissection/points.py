"""The twelve points of the released code in docs/discrepancies.md, with what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers.markers import replaced
from writers.stored import stored

STORED, BATCH = Path(__file__).resolve().parents[2] / "results", "batch-statistics.json"
BENCHMARK = Path(__file__).resolve().parents[3] / "benchmarks" / "results"
NONE = "nothing to measure"


def written(ledger: str, results: Path) -> str:
    """Return the ledger with the table between its markers; without results as it is."""
    found = stored(results, "dissection.json")
    if "readings" not in found or "detector" not in found:
        return ledger
    return replaced(ledger, "twelve points", points(found, results))


def points(found: dict[str, Any], results: Path) -> str:
    """Lay out the twelve points."""
    measured = found["readings"]
    rows = [
        ("Augmentation: the list is always empty", "needs a training without: not measured"),
        ("Dropout: read, never passed", "needs a training without: not measured"),
        ("Batch statistics in evaluation", _batch(measured["batch"], results)),
        ("0.99 instead of 0.995; a sketch of 500 samples", _quantile(found["detector"])),
        ("Slice chosen on a mask of all units", _slices(measured["slices"])),
        ("Interpolated map, threshold of the raw one", _masks(measured["masks"])),
        ("Softmax without an axis, list test on a column", f"grading cannot run: {NONE}"),
        ("Module and checkpoint missing", f"cannot be run as it is: {NONE}"),
        ("Unit 22 printed for 424", f"a slip of the pen: {NONE}"),
        ("A scan's own voxels taken for millimeters", _scale(measured["scale"])),
        ("Thresholds, ranks and pictures from the test set", _halves(measured["halves"])),
        ("No versions, pickles, no tests, no license", NONE),
    ]
    lines = ["| point of the released code | measured effect |", "|---|---|"]
    lines += [f"| {number}. {what} | {effect} |" for number, (what, effect) in enumerate(rows, 1)]
    said = (
        f"Detector `{found['detector']['model']}`, {measured['samples']} vertebrae of "
        f"`{measured['cohort']}`, {measured['positives']} fractured; one reading changed at a time."
    )
    return f"{said}\n\n" + "\n".join(lines)


def _batch(found: dict[str, Any], results: Path) -> str:
    there = (results / BATCH).is_file()
    grades = stored(results if there else STORED, BATCH)
    change = found["threshold_change"]
    return (
        f"{grades['changed_share']:.0%} of {grades['vertebrae']} vertebrae get another grade alone "
        f"than in a batch of {grades['batch']}; thresholds from batches of one and of ten differ "
        f"by {100 * change['median']:.0f} % (median unit; quartiles {100 * change['low']:.0f} to "
        f"{100 * change['high']:.0f}), {100 * found['decisions_changed']:.0f} % of the decisions "
        "whether a unit is enabled change"
    )


def _quantile(found: dict[str, Any]) -> str:
    quantile = found["quantile"]
    rows = stored(BENCHMARK, "dissection.json")["rows"]
    sketch = next(row["value"] for row in rows if row["name"] == "largest error of the sketch's")
    return (
        f"{quantile['same_eq1']} of the first ten units by eq. 1 are the same; units enabled in "
        f"over 90 % of fractured vertebrae {100 * quantile['0.99']['saturated']:.0f} % instead of "
        f"{100 * quantile['0.995']['saturated']:.0f} %. A KLL sketch misses a threshold by up to "
        f"{sketch:.2g} on noise of unit scale, the exact one by 0"
    )


def _slices(found: dict[str, Any]) -> str:
    return (
        f"{found['pictures']} pictures of the first ten units: the slice is off by "
        f"{found['moved_mm']:.0f} mm (median) and shows {100 * found['kept']:.0f} % of what the "
        f"unit's own shows; in {100 * found['empty']:.0f} % it shows nothing of the unit"
    )


def _masks(found: dict[str, Any]) -> str:
    return (
        f"{100 * found['empty']:.0f} % of the {found['enabled']} masks of the first ten units in "
        "fractured vertebrae come out empty although the unit is enabled; here none does"
    )


def _scale(found: dict[str, Any]) -> str:
    slices = found["slices_mm"]
    return (
        f"AUC {found['auc']['voxels']:.2f} instead of {found['auc']['mm']:.2f}; "
        f"{100 * found['changed']:.0f} % of the grades change (largest voxel edge "
        f"{slices['median']:.1f} mm in the median)"
    )


def _halves(found: dict[str, Any]) -> str:
    return (
        f"first ten units chosen on half of the subjects: contrast {found['own']:.2f} there, "
        f"{found['other']:.2f} on the other half, {found['same']:.1f} of ten the same (rank "
        f"correlation of all units {found['correlation']:+.2f})"
    ).replace("+-", "−")

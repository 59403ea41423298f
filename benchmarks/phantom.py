"""Phantoms: CPU time of a training sheet, of a whole scan, and how exactly losses are planted."""

import os
import sys

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

from dataclasses import replace

import numpy as np
from harness.measure import cpu_seconds, row, write

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.scan import make_subject
from spinexplain.data.phantom.sheets import phantom_sheets
from spinexplain.spine.morphometry import measure_bodies

SHEETS = 20


def sheets(twins):
    """Draw a few sheets and count them."""
    return sum(1 for _ in phantom_sheets("balanced", seed=1, n=SHEETS, twins=twins))


def planted_against_measured(subjects):
    """Errors of own loss (measured on the masks of scan and twin less planted), 1 mm voxels."""
    preset = load_preset("verse-like")
    field = replace(preset.field, spacing_mm=(1.0, 1.0), slicing=(1.0, 0.0, 0.0))
    preset = replace(preset, field=field, fractures=replace(preset.fractures, target=(2, 1, 1, 1)))
    errors, same_grade = [], []
    for index in range(subjects):
        scan = make_subject(preset, seed=2, subject_index=index, twin=True)
        after = measure_bodies(scan.image.labels, scan.image.vertebrae)
        before = measure_bodies(scan.twin.labels, scan.twin.vertebrae)
        for fact in scan.truth:
            level = VertebraLevel(fact.level)
            if fact.grade and level in after and level in before:
                loss = (1 - after[level].heights_mm[1] / before[level].heights_mm[1]).max()
                errors.append(loss - fact.own_loss)
                if min(abs(fact.own_loss - edge) for edge in (0.2, 0.25, 0.4)) > 0.02:
                    edges = np.array([0.2, 0.25, 0.4])
                    same_grade.append(np.sum(loss >= edges) == np.sum(fact.own_loss >= edges))
    return np.array(errors), np.array(same_grade)


def main(subjects):
    """Measure and store."""
    seconds = cpu_seconds(
        {
            "sheet": lambda: sheets(False),
            "sheet with twin": lambda: sheets(True),
            "scan": lambda: make_subject("demo", seed=1, subject_index=0),
        },
        {"sheet": 5, "sheet with twin": 3, "scan": 3},
    )
    errors, same = planted_against_measured(subjects)
    rows = [
        row("one 144 x 144 training sheet", seconds["sheet"] / SHEETS, target="<= 0.15"),
        row("the same with healthy twins", seconds["sheet with twin"] / SHEETS),
        row("a 12-vertebra scan at 1 mm, in memory", seconds["scan"], target="<= 6"),
        row(
            f"planted loss, mean absolute error of {len(errors)}",
            100 * float(np.abs(errors).mean()),
            target="< 2",
            unit="points",
        ),
        row("the same, 95th percentile", 100 * float(np.quantile(np.abs(errors), 0.95)),
            unit="points"),
        row(
            f"class found, {len(same)} more than 2 points from a boundary",
            100 * float(same.mean()),
            target=">= 95",
            unit="%",
        ),
    ]  # fmt: skip
    note = (
        "Losses are those of the own unfractured height, measured on the vertebra masks of a scan "
        f"and of its healthy twin ({subjects} scans at 1 mm, verse-like with more fractures)."
    )
    write("phantom", "Phantom spines", note, rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)

"""The verdict that follows where a reader drew heights, or shifted the names they are held against.

The networks have spoken when the scan was graded; their voices are stored with the view.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.app.edited_heights import ShownHeights, all_shown_heights
from spinexplain.app.reading import Reading
from spinexplain.findings import rules
from spinexplain.findings.deformity import deformities
from spinexplain.findings.rules import network_grade, witnesses_of
from spinexplain.findings.scan import VertebraFindings
from spinexplain.findings.verdict import Verdict, judge
from spinexplain.findings.witness import HEIGHTS, WITNESSES, Witness, heights_witness
from spinexplain.spine.height_loss import height_loss_class
from spinexplain.texts.catalogue import load_catalogue
from spinexplain.types import Heights
from spinexplain.ui.verdict_view import view_verdict


def voices_of(item: VertebraFindings) -> dict[str, Any]:
    """Write down what the networks say of a vertebra, as :func:`verdict_with` takes it."""
    spoken = [one for one in witnesses_of(item) if one.name != HEIGHTS]
    return {
        "networks": [[one.name, one.value, one.spread, one.weights_sha256] for one in spoken],
        "asked": bool(item.assessments),
        "grade": network_grade(item),
    }


def verdict_with(
    levels: Sequence[Mapping[str, Any]], name: str, reading: Reading
) -> Verdict | None:
    """Give the verdict on a level with the heights as a reader has them.

    Parameters
    ----------
    levels : sequence of mapping
        Of a view.
    name : str
        The level, as the model calls it.
    reading : Reading

    Returns
    -------
    Verdict or None
        None in a view of an earlier version, which kept no voices.
    """
    voices = next(one for one in levels if one["level"] == name).get("voices")
    if voices is None:
        return None
    shown = all_shown_heights(levels, reading)
    known = {level: _measured(one) for level, one in shown.items()}
    heights = known[name]
    alike = {
        VertebraLevel(reading.shown_level(level)): one
        for level, one in known.items()
        if one is not None
    }
    return judge(
        _witnesses(voices, heights),
        rules.stored_calibration(),
        loss=None if heights is None else heights.loss,
        network_grade=voices["grade"],
        deformity=deformities(alike).get(VertebraLevel(reading.shown_level(name))),
    )


def verdict_words(levels: Sequence[Mapping[str, Any]], name: str, reading: Reading) -> str:
    """Say :func:`verdict_with` in words; empty where there is none."""
    verdict = verdict_with(levels, name, reading)
    return "" if verdict is None else view_verdict(verdict, load_catalogue()).words


def _witnesses(voices: Mapping[str, Any], heights: Heights | None) -> list[Witness]:
    found = {voice[0]: Witness(*voice) for voice in voices["networks"]}
    measured = heights_witness(heights)
    # As for the machine's own heights: alone they say nothing where every network refuses.
    if measured is not None and (found or not voices["asked"]):
        found[HEIGHTS] = measured
    return [found[name] for name in WITNESSES if name in found]


def _measured(shown: ShownHeights) -> Heights | None:
    return None if shown.by == "nobody" or not shown.expected_mm else as_heights(shown)


def as_heights(shown: ShownHeights) -> Heights:
    """Return what a reader sees of heights as the rules take them; six points know no thirds."""
    anterior, middle, posterior = shown.heights_mm
    low, high = (height_loss_class(loss) for loss in shown.loss_interval)
    same = (anterior, middle, posterior)
    expected = (shown.expected_mm[0], shown.expected_mm[1], shown.expected_mm[2])
    return Heights(
        anterior_mm=anterior,
        middle_mm=middle,
        posterior_mm=posterior,
        expected_mm=expected,
        loss=shown.loss,
        loss_interval=shown.loss_interval,
        height_loss_class=shown.height_loss_class,
        class_range=(low, high),
        shape=shown.shape,
        own_posterior_loss=1 - min(anterior, middle) / posterior,
        thirds_mm=dict.fromkeys(("left", "middle", "right"), same),
        landmarks_mm=np.full((3, 2, 3), np.nan),
        broad_loss=shown.broad_loss,
    )

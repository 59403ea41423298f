"""Wide scans in the form of every other phantom scan: what is written in VerSe's layout."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.draw import VertebraTruth
from spinexplain.data.phantom.presets import Preset
from spinexplain.data.phantom.scan import PhantomImage, PhantomScan
from spinexplain.data.phantom.wide.scan import WideScan, wide_subject
from spinexplain.types import LabelMap, Vertebra

_WHOLE = 0.999  # share of a body in view


def make_wide_subject(preset: str | Preset, seed: int, subject_index: int) -> PhantomScan:
    """Make one wide scan of a drawn field of view; the same whatever else is made.

    Masks and centers hold whole vertebrae from C2 down; what is cut, the sacrum and all that
    lies around the spine are in ``wide``.

    Parameters
    ----------
    preset : str or Preset
    seed, subject_index : int

    Raises
    ------
    ConfigError
        If the preset does not exist.
    """
    scan, field = wide_subject(preset, seed, subject_index)
    levels = {level.value for level in VertebraLevel} - {"C1"}
    whole = [n for n, share in scan.in_view.items() if n in levels and share >= _WHOLE]
    vertebrae = tuple(
        Vertebra(VertebraLevel(n), (float(c[0]), float(c[1]), float(c[2])))
        for n, c in ((n, scan.centers_mm[n]) for n in whole)
    )
    blank = LabelMap(np.zeros_like(scan.body.array), scan.body.affine)
    image = PhantomImage(
        volume=scan.volume,
        labels=_only(scan.labels, whole),
        body=_only(scan.body, whole),
        evidence=_only(scan.evidence, whole),
        shortcut=blank,
        vertebrae=vertebrae,
    )
    return PhantomScan(
        name=f"phantom{subject_index + 1:04d}",
        preset=scan.person.preset.name,
        seed=seed,
        image=image,
        truth=_truth(scan, whole),
        twin=None,
        acquisition=scan.acquisition,
        patient=scan.person.patient,
        gantry_deg=field.gantry_deg,
        is_oblique=field.is_oblique,
        wide=wide_document(scan),
    )


def _only(label_map: LabelMap, names: list[str]) -> LabelMap:
    keep = np.zeros(256, np.uint8)
    codes = [VertebraLevel(name).verse_label for name in names]
    keep[codes] = codes
    return LabelMap(keep[label_map.array], label_map.affine)


def _truth(scan: WideScan, whole: list[str]) -> tuple[VertebraTruth, ...]:
    foreign = {level for construct in scan.person.constructs for level in construct.levels}
    return tuple(
        replace(fact, foreign_material=fact.level in foreign)
        for fact in scan.person.subject.truth
        if fact.level in whole
    )


def wide_document(scan: WideScan) -> dict[str, Any]:
    """Return what is true of the person around the spine, ready for JSON."""
    person = scan.person
    return {
        "landmarks_in_view": list(scan.landmarks),
        "bodies": {
            name: {
                "center_mm": [round(float(c), 3) for c in center],
                "in_view": scan.in_view[name],
            }
            for name, center in scan.centers_mm.items()
        },
        "ribs": {name: round(length, 3) for name, length in person.ribs.items()},
        "sacralized": [round(share, 3) for share in person.fused_l5],
        "constructs": [
            {"kind": construct.kind, "levels": list(construct.levels)}
            for construct in person.constructs
        ],
        "contrast_phase": person.contrast.phase,
        "oral_contrast_hu": round(person.contrast.oral_hu, 1),
        "sac_hu": round(person.around.sac, 1),
    }

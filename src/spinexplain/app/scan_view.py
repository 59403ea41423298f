"""What the scan page shows, made once after grading from the components of ``ui``."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from spinexplain.app.edited_verdict import voices_of
from spinexplain.app.frames import box_to_json, sheet_to_json
from spinexplain.app.level_names import mark_names, with_names
from spinexplain.app.pages import page_environment
from spinexplain.config.palette import BONE_WINDOW_HU
from spinexplain.findings.agreement import DISAGREE
from spinexplain.findings.naming import naming_words
from spinexplain.findings.rules import suspicion, verdict_of
from spinexplain.findings.scan import ScanFindings, ScanSource, VertebraFindings
from spinexplain.findings.summary import summarize, training_lines
from spinexplain.findings.verdict import DEFORMITY, NO_SUSPICION, SUSPECTED, Verdict
from spinexplain.geometry import SheetFrame, apply_affine
from spinexplain.io.files import output_folder
from spinexplain.io.nifti import write_nifti
from spinexplain.spine.reformat import box_frame
from spinexplain.texts.catalogue import Catalogue, load_catalogue
from spinexplain.types import Heights, Volume
from spinexplain.ui.pages import software_version
from spinexplain.ui.pictures import Album, Picture
from spinexplain.ui.spine_map import view_map
from spinexplain.ui.vertebra_view import LOSS_BANDS, VertebraCard, loss_percent, view_card

VIEW = "spinexplain/reader-view/1"
_SEVERITY_GRADES = {"mild": "G1", "moderate": "G2", "severe": "G3"}
_CROP_MARGIN_MM = 70.0


def write_view(findings: ScanFindings, out: Path) -> dict[str, Any]:
    """Write the folder of the scan page, whole or not at all, and return its description.

    Parameters
    ----------
    findings : ScanFindings
        Every level gets its card, suspicious or not.
    out : Path
        Replaced where it is there already.
    """
    say = load_catalogue()
    with output_folder(out, force=True) as folder:
        (folder / "pictures").mkdir()
        (folder / "levels").mkdir()
        album = Album()
        spine_map = view_map(findings.overview, findings.vertebrae, album)
        _write_pictures(album, folder)
        marks = {mark.level: mark for mark in spine_map.marks}
        described = {
            "schema": VIEW,
            "software": software_version(),
            "source": asdict(findings.source),
            "models": [asdict(model) for model in findings.models],
            "training": training_lines(findings.models, say),
            "headline": summarize(findings, say).headline,
            "notes": _notes(findings, say),
            "naming": _naming(findings, say),
            "map": {"picture": _size(spine_map.picture), "pixel_mm": spine_map.pixel_mm},
            "crop": _write_crop(findings, folder),
            "levels": [
                _level(item, findings, folder, say)
                | {"mark": vars(marks[_name(item)])["box"]}
                | {"at": [marks[_name(item)].x, marks[_name(item)].y]}
                for item in findings.vertebrae
            ],
        }
        text = json.dumps(described, default=_plain, allow_nan=False)
        (folder / "view.json").write_text(text, encoding="utf-8")
    return json.loads(text)


def _notes(findings: ScanFindings, say: Catalogue) -> list[str]:
    summary = summarize(findings, say)
    return [*summary.warnings, " ".join(summary.coverage), " ".join(summary.caveats)]


def _naming(findings: ScanFindings, say: Catalogue) -> str:
    """Say what is not sure of the levels' names; empty where they are, or were given."""
    return "" if findings.found is None else " ".join(naming_words(findings.found, say))


def _name(item: VertebraFindings) -> str:
    return item.vertebra.level.value


def _level(
    item: VertebraFindings, scan: ScanFindings, folder: Path, say: Catalogue
) -> dict[str, Any]:
    album = Album()
    card = view_card(item, scan, album, say)
    _write_pictures(album, folder)
    (folder / "levels" / f"{_name(item)}.html").write_text(
        _card_html(mark_names(card), album, say), encoding="utf-8"
    )
    vertebrae = [one.vertebra for one in scan.vertebrae]
    assert isinstance(item.patch.frame, SheetFrame)
    return {
        **shown_verdict(item, card),
        "level": _name(item),
        "verse_label": item.vertebra.level.verse_label,
        "centroid_mm": list(item.vertebra.centroid_mm),
        "flags": list(item.flags),
        "voices": voices_of(item),
        "heights": None if item.heights is None else _heights(item.heights),
        "draft": None if card.draft is None else card.draft.text,
        "picture": _size(card.picture),
        "sheet": sheet_to_json(item.patch.frame),
        "box": box_to_json(box_frame(vertebrae, item.vertebra)),
    }


def shown_verdict(item: VertebraFindings, card: VertebraCard) -> dict[str, Any]:
    """Say what list, map and panel call a vertebra: the one place that decides it."""
    row, verdict = card.row, verdict_of(item)
    words = row.verdict.words
    if row.not_assessable is not None and not verdict.terms:
        words = f"not assessable: {row.not_assessable.replace('_', ' ')}"
    return {
        "style": vars(row.verdict.style),
        "grade": row.grade,
        "verdict": row.verdict.key,
        "words": words,
        "agreed_grade": agreed_grade(verdict),
        "scores": [
            [score.class_name, round(score.value, 4)]
            for score in row.scores
            if score.value is not None
        ],
        "disagree": row.agreement == DISAGREE,
        "suspicious": bool(suspicion(item)),
        "reasons": list(row.reasons),
        "rank": list(verdict.rank),
    }


def agreed_grade(verdict: Verdict) -> str | None:
    """Return the Genant grade that a reader gives who agrees with a verdict.

    None where the verdict names none: borderline, mild height loss, not assessable.

    Examples
    --------
    >>> agreed_grade(Verdict(SUSPECTED, severity="moderate")), agreed_grade(Verdict(NO_SUSPICION))
    ('G2', 'G0')
    """
    if verdict.state == SUSPECTED:
        return _SEVERITY_GRADES.get(verdict.severity or "")
    return "G0" if verdict.state in (NO_SUSPICION, DEFORMITY) else None


def _heights(heights: Heights) -> dict[str, Any]:
    return {
        "measured_mm": [heights.anterior_mm, heights.middle_mm, heights.posterior_mm],
        "expected_mm": list(heights.expected_mm),
        "loss": heights.loss,
        "loss_interval": list(heights.loss_interval),
        "broad_loss": heights.broad_loss,
        "class": heights.height_loss_class,
        "shape": heights.shape,
        "landmarks_mm": np.asarray(heights.landmarks_mm).tolist(),
    }


def _card_html(card: VertebraCard, album: Album, say: Catalogue) -> str:
    linked = {key: replace(one, uri=_address(one)) for key, one in album.pictures.items()}
    return (
        page_environment()
        .get_template("stored_card.html.j2")
        .render(
            card=card,
            page=SimpleNamespace(album=SimpleNamespace(pictures=linked)),
            say=say,
            loss_bands=[(f"{band:.0%}", loss_percent(band)) for band in LOSS_BANDS],
            loss_zero=loss_percent(0.0),
            window=BONE_WINDOW_HU,
        )
    )


def _address(picture: Picture) -> str:
    # Relative to /scans/ID/ where the page is.
    return f"pictures/{picture.id}.png"


def _size(picture: Picture) -> dict[str, Any]:
    return {"id": picture.id, "width": picture.width, "height": picture.height}


def _write_pictures(album: Album, folder: Path) -> None:
    for picture in album.pictures.values():
        _, _, content = picture.uri.partition(",")
        (folder / "pictures" / f"{picture.id}.png").write_bytes(base64.b64decode(content))


def _write_crop(findings: ScanFindings, folder: Path) -> dict[str, Any]:
    """Write the CT around the spine: raw for planes sampled here, NIfTI for the viewer."""
    volume = findings.volume
    centers = np.array([item.vertebra.centroid_mm for item in findings.vertebrae])
    ijk = apply_affine(np.linalg.inv(volume.affine), centers)
    margin = _CROP_MARGIN_MM / np.array(volume.spacing_mm)
    low = np.maximum(np.floor(ijk.min(axis=0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(ijk.max(axis=0) + margin) + 1, volume.array.shape).astype(int)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    affine = volume.affine.copy()
    affine[:3, 3] = apply_affine(volume.affine, low.astype(float))
    crop = np.clip(np.round(volume.array[box]), -32768, 32767).astype(np.int16)
    np.save(folder / "spine.npy", crop)
    write_nifti(folder / "spine.nii.gz", crop, affine)
    return {"affine": affine.tolist(), "shape": list(crop.shape)}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | Mapping):
        return list(value)
    raise TypeError(f"{type(value)} in a view")


@dataclass(frozen=True, eq=False)
class ScanView:
    """A written view.

    Parameters
    ----------
    folder : Path
    described : mapping
        What ``view.json`` holds.
    """

    folder: Path
    described: Mapping[str, Any]

    @property
    def levels(self) -> list[Mapping[str, Any]]:
        """Graded levels, cranial to caudal."""
        return list(self.described["levels"])

    def level(self, name: str) -> Mapping[str, Any] | None:
        """Return one level, or None where there is none of this name."""
        return next((one for one in self.levels if one["level"] == name), None)

    def card(self, name: str, shift: int = 0) -> str:
        """Return the card of a level under names that a reader shifted by so many."""
        stored = (self.folder / "levels" / f"{name}.html").read_text(encoding="utf-8")
        return with_names(stored, shift)

    def crop(self) -> Volume:
        """Open the CT around the spine; its voxels stay on disk until they are asked for."""
        array = np.load(self.folder / "spine.npy", mmap_mode="r", allow_pickle=False)
        return Volume(array, np.array(self.described["crop"]["affine"]))


def read_view(folder: Path) -> ScanView:
    """Read what :func:`write_view` wrote, this version's or an earlier one's.

    An earlier one says less of the study; what it does not say is left empty.
    """
    described = json.loads((folder / "view.json").read_text(encoding="utf-8"))
    unsaid = asdict(ScanSource("", "", (0, 0, 0), (0.0, 0.0, 0.0)))
    described["source"] = {**unsaid, **described["source"]}
    return ScanView(folder, {"training": [], **described})

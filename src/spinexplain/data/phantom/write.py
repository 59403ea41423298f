"""Writes phantom scans as a VerSe-style data set, with the truth beside it."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spinexplain.data.phantom.draw import VertebraTruth
from spinexplain.data.phantom.presets import load_preset, preset_hash
from spinexplain.data.phantom.scan import PhantomImage, PhantomScan, make_subject
from spinexplain.data.phantom.table import write_fracture_csv, write_participants
from spinexplain.data.phantom.wide.subject import make_wide_subject
from spinexplain.errors import ConfigError, OutputError
from spinexplain.io.centroids import write_centroids
from spinexplain.io.json_file import write_json
from spinexplain.io.nifti import write_nifti
from spinexplain.io.scan_facts import PHANTOM_MARK
from spinexplain.progress import SILENT, Progress
from spinexplain.workers import run_all

DESCRIPTION = "phantom.json"
TABLE = "fractures.csv"
PARTICIPANTS = "participants.tsv"
TRUTH_SCHEMA = "spinexplain/phantom-truth/1"

_PREFIX = "sub-phantom"


@dataclass(frozen=True)
class _Task:
    out: Path
    preset: str
    seed: int
    index: int
    twins: bool


def write_phantom(
    out: str | Path,
    subjects: int,
    seed: int,
    preset: str = "balanced",
    jobs: int = 1,
    force: bool = False,
    twins: bool = False,
    progress: Progress = SILENT,
) -> Path:
    """Write phantom scans as VerSe-style BIDS folders with a fracture table and the truth.

    ``participants.tsv`` holds sex, stature and extra levels, as BIDS has it.

    Parameters
    ----------
    out : path
        A new folder, or one this function began with the same preset and seed: subjects
        that are complete are kept, missing and interrupted ones are made.
    subjects : int
        Subject k is the same whatever ``subjects`` and ``jobs`` are. Where the folder has
        more, they stay, in the table too.
    seed : int
    preset : str
    jobs : int
        Processes that work side by side.
    force : bool
        Whether phantoms of another preset or seed in ``out`` are thrown away first. Folders
        that are no phantoms are never touched.
    twins : bool
        Also write every subject without its fractures (``desc-twin``).
    progress : Progress
        Hears ``Phantoms`` after every subject.

    Returns
    -------
    Path
        The fracture table, in the format of VerSe'19's.

    Raises
    ------
    ConfigError
        If the preset does not exist or a number is out of range.
    OutputError
        If ``out`` holds something else, or cannot be written, or a process that draws was
        killed twice; the other subjects are finished then.
    """
    out = Path(out)
    if load_preset(preset).is_wide and twins:
        raise ConfigError(
            f"--twins does not go with preset {preset!r}: scans that show the whole person have "
            "no healthy twin. Leave it out, or choose another preset."
        )
    if subjects < 1 or jobs < 1 or seed < 0:
        raise ConfigError(
            f"subjects={subjects}, jobs={jobs}, seed={seed}; "
            "expected at least 1, at least 1 and not below 0."
        )
    _claim(out, preset, seed, force)
    wanted = sorted({*range(subjects), *begun_subjects(out)})
    tasks = [_Task(out, preset, seed, k, twins) for k in wanted]
    missing = [task for task in tasks if not _is_complete(task, twins and task.index < subjects)]
    run_all(_write_subject, missing, jobs, name=_title, progress=progress, step="Phantoms")
    table, truths = out / TABLE, [_read_truth(_truth_path(task)) for task in tasks]
    write_fracture_csv(table, truths)
    write_participants(out / PARTICIPANTS, truths)
    return table


def begun_subjects(out: str | Path) -> list[int]:
    """Return the indices of the subjects a folder holds, complete or interrupted."""
    names = {path.name for path in Path(out).glob(f"rawdata/{_PREFIX}*")}
    numbers = (name.removeprefix(_PREFIX) for name in names)
    indices = {int(number) - 1 for number in numbers if number.isdecimal()}
    return sorted(k for k in indices if k >= 0 and _name(k) in names)


def _claim(out: Path, preset: str, seed: int, force: bool) -> None:
    """Make ``out`` ours, or make sure that it is."""
    mine = {"preset": preset, "preset_sha256": preset_hash(preset), "seed": seed}
    marker = out / DESCRIPTION
    if out.exists() and any(out.iterdir() if out.is_dir() else [out]):
        found = _read_description(marker)
        if found is None:
            raise OutputError(
                f"{out} exists and holds no phantoms; expected a new folder. Choose another one."
            )
        if {key: found.get(key) for key in mine} == mine:
            return
        if not force:
            raise OutputError(
                f"{out} holds phantoms of preset {found.get('preset')!r}, seed "
                f"{found.get('seed')}, not {preset!r}, {seed}. Choose another folder, or add "
                "--force to replace them."
            )
        for name in ("rawdata", "derivatives"):
            shutil.rmtree(out / name, ignore_errors=True)
        for name in (TABLE, PARTICIPANTS):
            (out / name).unlink(missing_ok=True)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot be created ({error.strerror}).") from None
    write_json(marker, {"schema": "spinexplain/phantom/1", **mine, "synthetic": True})
    bids = {"Name": f"spinexplain phantom, preset {preset}", "BIDSVersion": "1.8.0"}
    write_json(out / "dataset_description.json", {**bids, "DatasetType": "raw"})


def _read_description(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _name(index: int) -> str:
    return f"{_PREFIX}{index + 1:04d}"


def _title(task: _Task) -> str:
    return _name(task.index)


def _truth_path(task: _Task) -> Path:
    name = _name(task.index)
    return task.out / "derivatives" / name / f"{name}_truth.json"


def _is_complete(task: _Task, with_twin: bool) -> bool:
    """The truth is written last; a subject without it was interrupted."""
    path = _truth_path(task)
    return path.is_file() and (not with_twin or _read_truth(path)["twin"])


def _read_truth(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _write_subject(task: _Task) -> None:
    """Write a subject; what an interrupted attempt left of it goes first."""
    for part in ("rawdata", "derivatives"):
        shutil.rmtree(task.out / part / _name(task.index), ignore_errors=True)
    if load_preset(task.preset).is_wide:
        scan = make_wide_subject(task.preset, task.seed, task.index)
    else:
        scan = make_subject(task.preset, task.seed, task.index, twin=task.twins)
    name = _name(task.index)
    _write_image(task.out, name, "", scan, scan.image)
    if scan.twin is not None:
        _write_image(task.out, name, "_desc-twin", scan, scan.twin)
    write_json(_truth_path(task), truth_document(scan))


def _write_image(out: Path, name: str, entity: str, scan: PhantomScan, image: PhantomImage) -> None:
    raw, derived = out / "rawdata" / name, out / "derivatives" / name
    for folder in (raw, derived):
        folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name}{entity}"
    affine = image.volume.affine
    write_nifti(raw / f"{stem}_ct.nii.gz", image.volume.array, affine, PHANTOM_MARK)
    sidecar = {"dataset": f"spinexplain phantom ({scan.preset})", "synthetic": True}
    write_json(raw / f"{stem}_ct.json", sidecar)
    masks = {"vert": image.labels, "body": image.body, "evidence": image.evidence}
    if image.shortcut.array.any():
        masks["shortcut"] = image.shortcut
    for seg, mask in masks.items():
        write_nifti(derived / f"{stem}_seg-{seg}_msk.nii.gz", mask.array, affine)
    write_centroids(derived / f"{stem}_seg-subreg_ctd.json", image.vertebrae, image.volume)


def truth_document(scan: PhantomScan) -> dict[str, Any]:
    """Return the truth about a scan as it is written to JSON."""
    at = {v.level.value: v for v in scan.image.vertebrae}
    return {
        "schema": TRUTH_SCHEMA,
        "synthetic": True,
        "subject": scan.name,
        "preset": scan.preset,
        "preset_sha256": preset_hash(scan.preset),
        "seed": scan.seed,
        "twin": scan.twin is not None,
        "spacing_mm": list(scan.image.volume.spacing_mm),
        "levels_in_view": list(at),
        "patient": asdict(scan.patient),
        "grid": {"gantry_tilt_deg": round(scan.gantry_deg, 3), "oblique": scan.is_oblique},
        "acquisition": asdict(scan.acquisition),
        "vertebrae": [
            _vertebra_document(fact, at[fact.level].centroid_mm, at[fact.level].level.verse_label)
            for fact in scan.truth
        ],
        **({} if scan.wide is None else {"wide": scan.wide}),
    }


def _vertebra_document(
    fact: VertebraTruth, centroid_mm: tuple[float, float, float], label: int
) -> dict[str, Any]:
    sites = ("anterior", "middle", "posterior")
    heights = {
        when: {site: round(value, 3) for site, value in zip(sites, values, strict=True)}
        for when, values in (
            ("before", fact.before_mm),
            ("after", fact.after_mm),
            ("expected", fact.expected_mm),
        )
    }
    return {
        "level": fact.level,
        "verse_label": label,
        "centroid_mm": [round(c, 3) for c in centroid_mm],
        "grade": None if fact.foreign_material else fact.grade,
        "shape": None if fact.foreign_material else fact.shape,
        "foreign_material": fact.foreign_material,
        "loss": round(fact.loss, 4),
        "own_loss": round(fact.own_loss, 4),
        "heights_mm": heights,
        "look_alikes": list(fact.look_alikes),
        "displacement_mm": None if fact.displaced is None else asdict(fact.displaced),
    }

"""A small CT series in any orientation, with three vertebrae and findings invented for it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import Task
from spinexplain.findings.scan import Assessment, ScanFindings, ScanSource, VertebraFindings
from spinexplain.geometry import BoxFrame
from spinexplain.types import (
    Evidence,
    Explanation,
    Grading,
    Heights,
    LabelMap,
    ModelInfo,
    Patch,
    Vertebra,
    Volume,
)

TASK = Task.of({grade: [grade] for grade in ("G0", "G2", "G3")})
MODEL = ModelInfo("protoverse-test", "1.2", "3f6a" * 16, ("G0", "G2", "G3"), "phantoms only")
SECOND = ModelInfo("detector-test", "0.3", "90c1" * 16, ("no fracture", "fracture"), "phantoms")
MADE_AT = datetime(2026, 3, 4, 5, 6, 7)
NAME = "M\u00fcller^J\u00f6rg"


def _writer():
    """Load the writer of DICOM series that the tests of reading use."""
    path = Path(__file__).parents[1] / "io" / "conftest.py"
    spec = importlib.util.spec_from_file_location("dicom_writer", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


WRITER = _writer()

# Columns: directions of row, column and slice in RAS+.
ORIENTATIONS = {
    "HFS": np.diag([-1.0, -1.0, 1.0]),
    "feet first": np.diag([1.0, -1.0, -1.0]),
    "prone": np.diag([1.0, 1.0, 1.0]),
    "sagittal": np.array([[0.0, 0, -1], [-1, 0, 0], [0, -1, 0]]),
    "oblique": None,
    "tilted": np.diag([-1.0, -1.0, 1.0]),
}


@dataclass(frozen=True, eq=False)
class Case:
    """A series on disk, what was read from it, and findings about it."""

    folder: Path
    volume: Volume
    labels: LabelMap
    findings: ScanFindings
    references: object


def affine_of(orientation, spacing=(1.5, 2.0, 3.0), shape=(26, 22, 18)):
    from scipy.spatial.transform import Rotation

    axes = ORIENTATIONS[orientation]
    if axes is None:
        axes = Rotation.from_euler("xyz", (12, -8, 25), degrees=True).as_matrix() @ np.diag(
            [-1.0, -1.0, 1.0]
        )
    affine = np.eye(4)
    affine[:3, :3] = axes * np.array(spacing)
    if orientation == "tilted":
        affine[1, 2] = np.tan(np.radians(15)) * spacing[2]
    affine[:3, 3] = np.array([4.0, -120.0, 310.0]) - affine[:3, :3] @ (np.array(shape) / 2)
    return affine


def tags(**more):
    return {
        "PatientName": NAME,
        "PatientID": "P-17",
        "PatientBirthDate": "19500102",
        "PatientSex": "F",
        "StudyInstanceUID": "1.2.826.0.1.3680043.8.498.11",
        "FrameOfReferenceUID": "1.2.826.0.1.3680043.8.498.33",
        "StudyDate": "20260102",
        "StudyTime": "101112",
        "StudyID": "S1",
        "StudyDescription": "CT spine",
        "AccessionNumber": "A-9",
        "ReferringPhysicianName": "Roe^Richard",
        "SpecificCharacterSet": "ISO_IR 100",
        "Manufacturer": "Maker",
        "KVP": "120",
        "AcquisitionNumber": 1,
        "PositionReferenceIndicator": None,
        "PatientPosition": "HFS",
        **more,
    }


def series_of(orientation="HFS", spacing=(1.5, 2.0, 3.0), shape=(26, 22, 18), **more):
    series = WRITER.Writer.volume(shape, seed=3)
    series.affine = affine_of(orientation, spacing, shape)
    series.uid = "1.2.826.0.1.3680043.8.498.22"
    series.tags = tags(**more)
    # Bone where the mask of the case will be: a mask that lies on none is refused.
    grid = Volume(np.zeros(shape, np.int16), series.affine)
    bone = labels_of(grid).array > 0
    series.array = np.where(bone, series.array // 4 + 600, series.array // 4)
    return series


def clean(dataset, series):
    """Take the planted names out again that the tests of reading want."""
    for element in list(dataset):
        if element.tag.group == 0x0010 and element.keyword not in series.tags:
            del dataset[element.tag]
    for keyword in ("OperatorsName", "RequestingPhysician"):
        if keyword in dataset:
            delattr(dataset, keyword)
    for keyword, value in series.tags.items():
        setattr(dataset, keyword, value)
    return dataset


def write_series(folder, series, enhanced=None, skip=()):
    folder.mkdir(parents=True, exist_ok=True)
    if enhanced is not None:
        dataset = clean(WRITER.enhanced_dataset(series, enhanced), series)
        WRITER.save(dataset, folder / "frames")
        return folder
    order = np.random.default_rng(1).permutation(series.array.shape[2])
    for name, k in enumerate(order):
        if k not in skip:
            WRITER.save(clean(WRITER.slice_dataset(series, k), series), folder / f"I{name}")
    return folder


def labels_of(volume):
    """Three blocks along the patient's own axis, each of another shape, none symmetric."""
    ijk = np.moveaxis(np.indices(volume.array.shape), 0, -1)
    mm = ijk @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    middle = volume.affine @ [*(np.array(volume.array.shape) / 2), 1]
    x, y, z = np.moveaxis(mm - middle[:3], -1, 0)
    labels = np.zeros(volume.array.shape, np.uint8)
    for number, (label, low) in enumerate([(19, 8.0), (20, -6.0), (21, -20.0)]):
        inside = (z >= low) & (z < low + 11) & (abs(y) < 9) & (x > -8) & (x < 6 + 2 * number)
        labels[inside] = label
    return LabelMap(labels, volume.affine)


def heights(loss, low, high, loss_class, shape):
    return Heights(
        anterior_mm=27 * (1 - loss),
        middle_mm=25.0,
        posterior_mm=27.5,
        expected_mm=(27.0, 26.0, 28.0),
        loss=loss,
        loss_interval=(low, high),
        height_loss_class=loss_class,
        class_range=(loss_class, loss_class),
        shape=shape,
        own_posterior_loss=loss,
        thirds_mm={},
        landmarks_mm=np.zeros((3, 2, 3)),
    )


def patch_of(volume, vertebra, side=24):
    frame = BoxFrame(np.array(vertebra.centroid_mm), np.eye(3), (side, side, side), 1.0)
    array = np.random.default_rng(5).normal(200, 80, (side, side, side)).astype(np.float32)
    return Patch(vertebra, array, frame)


def sheet_of(vertebra, side=48):
    from spinexplain.spine.reformat import sheet_frame

    x, y, z = vertebra.centroid_mm
    line = [
        Vertebra(VertebraLevel("T11"), (x, y, z + 30.0)),
        vertebra,
        Vertebra(VertebraLevel("L3"), (x, y, z - 30.0)),
    ]
    frame = sheet_frame(line, vertebra, (side, side), 1.0)
    array = np.random.default_rng(6).normal(200, 80, (side, side)).astype(np.float32)
    return Patch(vertebra, array, frame)


def explanation_of(patch):
    heat = np.zeros(patch.array.shape, np.float32)
    heat[2:9, 4:8, 6:15] = np.linspace(0.2, 1.5, 7, dtype=np.float32)[:, None, None]
    evidence = Evidence("G2 prototype 1", "G2", heat, 1.9, {"similarity": 1.5})
    return Explanation(patch, "G2", "prototypes", "contribution to the logit", (evidence,))


def findings_of(volume, labels):
    story = {
        19: ((0.95, 0.03, 0.02), heights(0.05, 0.0, 0.1, 0, "none"), ()),
        20: ((0.08, 0.67, 0.25), heights(0.31, 0.24, 0.38, 2, "wedge"), ()),
        21: (None, None, ("touches_border",)),
    }
    rows = []
    for label, (scores, measured, flags) in story.items():
        center = labels.affine @ [*np.argwhere(labels.array == label).mean(axis=0), 1]
        vertebra = Vertebra(VertebraLevel.from_verse_label(label), tuple(center[:3].tolist()))
        assessed = Assessment.refused("touches_border")
        if scores is not None:
            grading = Grading(vertebra, TASK, scores)
            assessed = Assessment(grading, explanation_of(patch_of(volume, vertebra)))
        rows.append(VertebraFindings(sheet_of(vertebra), measured, (assessed,), flags))
    source = ScanSource("DICOM test", "0" * 64, volume.array.shape, volume.spacing_mm)
    overview = sheet_of(rows[1].vertebra, 96)
    return ScanFindings(source, volume, (MODEL,), tuple(rows), overview)


def case_of(folder):
    from spinexplain.io.dicom import read_dicom, read_references

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tilted one is warned of
        volume = read_dicom(folder)
    labels = labels_of(volume)
    return Case(folder, volume, labels, findings_of(volume, labels), read_references(folder))


@pytest.fixture(scope="session")
def cases(tmp_path_factory):
    """Cases by orientation, read from disk; ``"frames"`` is one multi-frame file."""
    made = {}

    def case(orientation):
        if orientation not in made:
            folder = tmp_path_factory.mktemp("series")
            if orientation == "frames":
                order = np.random.default_rng(2).permutation(18)
                write_series(folder, series_of("HFS"), enhanced=order)
            elif orientation == "thin":
                series = series_of("HFS", spacing=(1.5, 1.5, 5.0), SliceThickness="2.0")
                write_series(folder, series)
            else:
                write_series(folder, series_of(orientation))
            made[orientation] = case_of(folder)
        return made[orientation]

    return case


@pytest.fixture(scope="session")
def result(cases):
    """A maker of results: result(orientation="HFS", **changes)."""
    from spinexplain.dicom_out.write import DicomResult

    def make(orientation="HFS", **changes):
        one = cases(orientation)
        given = {"labels": one.labels, "made_at": MADE_AT} | changes
        return DicomResult(one.findings, one.references, **given)

    return make


@pytest.fixture(scope="session")
def written(result, tmp_path_factory):
    """A maker of folders of objects: written(orientation) -> folder, made once."""
    from spinexplain.dicom_out.write import write_dicom

    made = {}

    def write(orientation="HFS", **changes):
        if orientation not in made or changes:
            folder = tmp_path_factory.mktemp("objects")
            write_dicom(
                result(orientation, **({"with_pdf": orientation == "HFS"} | changes)), folder
            )
            if changes:
                return folder
            made[orientation] = folder
        return made[orientation]

    return write


@pytest.fixture(scope="session")
def tool():
    """A runner of outside programs that skips where one is absent; in CI that is a failure."""

    def run(name, *words):
        path = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
        if path is None:
            reason = f"{name} is not installed; scripts/apt-deps.sh or the dev extra brings it"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
        return run_tool(path, *words)

    return run


def run_tool(*words):
    """Run a program; return its exit code and all that it said."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr

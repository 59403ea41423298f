"""The experiments of the papers, each by one command, on phantoms in VerSe's own layout."""

import contextlib
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.cli.main import run
from spinexplain.config.entries import steps_of
from spinexplain.config.training import read_config
from spinexplain.data.cohort import Cohort
from spinexplain.experiment.shared_phase import classifier_key
from spinexplain.io.centroids import write_centroids
from spinexplain.io.nifti import write_nifti
from spinexplain.jobs.paper import PaperRequest, paper_to_folder
from spinexplain.reproduce import papers
from spinexplain.train.grading.features import keeps_trunk
from spinexplain.types import Vertebra, Volume

TABLE = "ryai190138_appendixe1.xlsx"
ROOT = Path(__file__).parent.parent
EXPERIMENTS = ROOT / "experiments"
PRESETS = sorted(EXPERIMENTS.rglob("*.toml"))
FEW = (
    "trunk.name=conv,trunk.weights=none,trunk.blocks=3,trunk.widths=[4,4,8],trunk.max_stride=16,"
    "input.size=56,head.prototypes_per_class=1,validation_share=0.3,classifier.steps=1,warm.steps=1,"
    "joint.steps=1"
)
FEW_3D = (
    "input.extent_mm=32,input.size=16,trunk.width=0.1,head.width=0.1,validation_share=0.3,"
    "detector.epochs=1,detector.patience=1,detector.batch=4,"
    # torch's bfloat16 convolutions have no defined gradient on a grid of 2 x 2 x 2 cells.
    "detector.precision=fp32"
)
LEVELS = [f"T{i}" for i in range(1, 13)] + [f"L{i}" for i in range(1, 6)]
SPLITS = {
    "dataset-verse19training": "training",
    "dataset-verse19validation": "validation public",
    "dataset-verse19test": "test secret",
}


def write_verse(root, training, others, levels):
    """Write scans and the fracture table as VerSe'19 has them: names, folders and columns.

    Blocks of bone 22 mm high stand for vertebrae, without a third of their height (G2) or
    their front half (G3); a scan of a few levels is read in a moment.
    """
    people = ["dataset-verse19training"] * training
    people += ["dataset-verse19validation", "dataset-verse19test"] * others
    lines = []
    for number, folder in enumerate(people, start=4):
        grades = {level: (0, 2, 3)[(number + at) % 3] for at, level in enumerate(levels)}
        write_scan(root / folder, f"verse{number:03d}", grades)
        lines.append([number, number, SPLITS[folder], grades])
    write_fracture_table(root / TABLE, lines)


def write_scan(folder, name, grades):
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    hu = np.random.default_rng(int(name[5:])).normal(40, 15, (40, 50, 14 * len(grades) + 26))
    hu[:3] = hu[-3:] = -1000  # air beside the body
    labels = np.zeros(hu.shape, np.uint8)
    vertebrae = []
    for at, (level, grade) in enumerate(grades.items()):
        top = hu.shape[2] - 13 - 14 * at
        bone = np.s_[
            12:28, 18 : 25 if grade == 3 else 32, top - 11 : top - (4 if grade == 2 else 0)
        ]
        hu[bone] += 350
        labels[bone] = VertebraLevel(level).verse_label
        vertebrae.append(Vertebra(VertebraLevel(level), (39.0, 49.0, 2.0 * (top - 6))))
    raw, derived = (folder / kind / f"sub-{name}" for kind in ("rawdata", "derivatives"))
    for place in (raw, derived):
        place.mkdir(parents=True)
    volume = Volume(hu.round().astype(np.int16), affine)
    write_nifti(raw / f"sub-{name}_ct.nii.gz", volume.array, affine)
    write_nifti(derived / f"sub-{name}_seg-vert_msk.nii.gz", labels, affine)
    write_centroids(derived / f"sub-{name}_seg-subreg_ctd.json", vertebrae, volume)


def write_fracture_table(path, lines):
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(
        ["verse_ID", "subject_ID", "dataset"]
        + [f"{level}_fx-{kind}" for level in LEVELS for kind in "gs"]
    )
    for series, subject, split, grades in lines:
        cells = [grades.get(level) for level in LEVELS]
        shapes = [None if grade is None else min(grade, 1) for grade in cells]
        pairs = [value for both in zip(cells, shapes, strict=True) for value in both]
        sheet.append([series, subject, split, *pairs])
    book.save(path)


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: str(path.relative_to(EXPERIMENTS)))
def test_every_preset_is_valid(path):
    assert read_config(path).name == tomllib.loads(path.read_text())["name"]


def test_prototype_networks_share_their_classifier():
    folder = EXPERIMENTS / "verse19"
    keys = {
        classifier_key(read_config(folder / f"{name}.toml"), "data")
        for name in ("protopnet", "protoverse")
    }
    assert len(keys) == 1


def test_methods_on_phantoms_have_as_many_steps():
    folder = EXPERIMENTS / "phantom"
    names = ("baseline", "protopnet", "protoverse")
    assert {steps_of(read_config(folder / f"{name}.toml")) for name in names} == {300}
    heads = [read_config(folder / f"{name}.toml") for name in ("heads", "heads-protopnet")]
    assert all(keeps_trunk(config) for config in heads)


def run_here(command, folder):
    """Run a command of the package in this process."""
    with contextlib.chdir(folder):
        run(list(command))
    return 0


def run_paper(monkeypatch, tmp_path, name, settings, **more):
    """Run all steps of a paper on ten subjects, with trainings of a moment."""
    monkeypatch.setattr(papers, "run_command", run_here)
    folders = tuple(tmp_path / folder for folder in SPLITS)
    request = PaperRequest(
        name, tmp_path / "out", folders, tmp_path / TABLE, checkout=ROOT, settings=settings, **more
    )
    return paper_to_folder(request).read_text("utf-8")


def of_two(ablation):
    """Vary every factor by its last two values only: as many steps, half the trainings."""

    def make(asked, preset, factors, out):
        pairs = (factor.split("=") for factor in factors)
        few = tuple(f"{name}={','.join(values.split(',')[-2:])}" for name, values in pairs)
        return ablation(asked, preset, few, out)

    return make


def test_verse19_runs_by_one_command(tmp_path, monkeypatch):
    monkeypatch.setattr(papers, "_ablation", of_two(papers._ablation))
    monkeypatch.setattr(papers, "_RATES", "trunk_lr=3e-5|3e-4")  # that there are three: test_papers
    write_verse(tmp_path, training=8, others=1, levels=("T11", "T12", "L1", "L2", "L3", "L4"))
    text = run_paper(monkeypatch, tmp_path, "verse19", FEW, folds=2, seeds=1)
    out = tmp_path / "out"
    index = Cohort.open(out / "cohort").index
    assert index.groupby("split").size().to_dict() == {"training": 48, "validation": 6, "test": 6}
    results = json.loads((out / "results" / "crossval" / "results.json").read_text())
    assert results["vertebrae"] == 48
    assert {len(entry["candidates"]) for entry in results["entries"]} == {2}
    assert "Not a replication" in text
    assert "10 of 10 steps done" in text
    for name in ("baseline", "protopnet", "protoverse"):
        assert f"| ours | {name} |" in text
    assert "### Test set, by seed" in text
    assert "| *opponent:* level alone |" in text
    assert (out / "tables" / "protoverse-figure7.png").exists()
    hours = json.loads((out / "hours.json").read_text())
    assert run_paper(monkeypatch, tmp_path, "verse19", FEW, folds=2, seeds=1)
    again = json.loads((out / "hours.json").read_text())
    assert {name for name in hours if again[name] != hours[name]} == {"tables"}


def test_verse_s2_runs_by_one_command(tmp_path, monkeypatch):
    write_verse(tmp_path, training=6, others=2, levels=("L1", "L2"))
    few = {name: papers.DETECTORS[name] for name in ("detector", "as-released")}
    monkeypatch.setattr(papers, "DETECTORS", few)
    text = run_paper(monkeypatch, tmp_path, "verse-s2", FEW_3D, seeds=1)
    result = json.loads((tmp_path / "out/results/trials-detector/result.json").read_text())
    first = result["crossings"][0]
    assert (len(first["runs"]), first["vertebrae"], first["fractures"]) == (1, 4, 3)
    assert text.count("| ours | boxes, tested on boxes") == 2
    assert "| published | VerSe, tested on VerSe |" in text
    assert "| *opponent:* level alone |" in text
    assert "| detector-seed0 |" in text


def test_the_detector_of_the_experiment_is_the_preset_with_mild_fractures():
    ours = read_config(EXPERIMENTS / "verse-s2" / "detector.toml").model_dump()
    preset = read_config("detector").model_dump()
    assert {key for key in preset if ours[key] != preset[key]} == {"name", "grades"}
    assert ours["grades"]["fracture"] == ("G1", "G2", "G3")


def test_methods_on_verse_have_as_many_steps_and_share_what_is_not_the_method():
    presets = [read_config(EXPERIMENTS / "verse19" / f"{name}.toml") for name in papers.METHODS]
    assert len({steps_of(config) for config in presets}) == 1
    for shared in ("input", "trunk", "augment", "classes"):
        assert all(getattr(one, shared) == getattr(presets[0], shared) for one in presets)

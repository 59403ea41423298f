"""The three commands of each experiment, on a phantom in VerSe's own layout."""

import json
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.cli.main import run
from spinexplain.config.entries import steps_of
from spinexplain.config.training import read_config
from spinexplain.data.cohort import Cohort
from spinexplain.io.centroids import write_centroids
from spinexplain.io.nifti import write_nifti
from spinexplain.train.grading.features import keeps_trunk
from spinexplain.types import Vertebra, Volume

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
    write_fracture_table(root / "ryai190138_appendixe1.xlsx", lines)


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


def test_what_is_compared_shares_its_classifier():
    from spinexplain.experiment.shared_phase import classifier_key

    folder = EXPERIMENTS / "verse19"
    keys = {
        classifier_key(read_config(folder / f"{name}.toml"), "data")
        for name in ("baseline", "protopnet", "protoverse")
    }
    assert len(keys) == 1


def test_methods_on_phantoms_have_as_many_steps():
    folder = EXPERIMENTS / "phantom"
    names = ("baseline", "protopnet", "protoverse")
    assert {steps_of(read_config(folder / f"{name}.toml")) for name in names} == {300}
    heads = [read_config(folder / f"{name}.toml") for name in ("heads", "heads-protopnet")]
    assert all(keeps_trunk(config) for config in heads)


def commands(readme):
    """Return the three commands of a README, as lists of words."""
    block = re.findall(r"```console\n(.*?)```", readme.read_text(), flags=re.DOTALL)[0]
    lines = block.replace("\\\n", " ").splitlines()
    return [shlex.split(line.removeprefix("$ spinexplain ")) for line in lines]


def smaller(words, settings):
    """Give every preset of a command settings that train in a moment, and fewer repeats."""
    few = [
        f"{word}:{settings},as={Path(word).stem}" if word.endswith(".toml") else word
        for word in words
    ]
    return ["2" if word == "5" else word for word in few]


def test_verse19_runs_in_three_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_verse(tmp_path, training=8, others=1, levels=("T12", "L1", "L2"))
    shutil.copytree(EXPERIMENTS, tmp_path / "experiments")
    prepare, crossval, tables = commands(EXPERIMENTS / "verse19" / "README.md")
    run(prepare)
    run(smaller(crossval, FEW))
    run(tables)
    index = Cohort.open("cohort").index
    assert index.groupby("split").size().to_dict() == {"training": 24, "validation": 3, "test": 3}
    results = json.loads((tmp_path / "results" / "crossval" / "results.json").read_text())
    assert results["vertebrae"] == 24
    text = (tmp_path / "tables" / "tables.md").read_text()
    assert "Not a replication" in text
    for name in ("baseline", "protopnet", "protoverse"):
        assert f"| ours | {name} |" in text
    assert (tmp_path / "tables" / "protoverse-figure3-protoverse.png").exists()


def test_verse_s2_runs_in_three_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_verse(tmp_path, training=6, others=2, levels=("L1", "L2"))
    shutil.copytree(EXPERIMENTS, tmp_path / "experiments")
    prepare, trials, tables = commands(EXPERIMENTS / "verse-s2" / "README.md")
    run(prepare)
    run(smaller(trials, FEW_3D))
    run(tables)
    result = json.loads((tmp_path / "results" / "trials" / "result.json").read_text())
    first = result["crossings"][0]
    assert (len(first["runs"]), first["vertebrae"], first["fractures"]) == (2, 4, 3)
    text = (tmp_path / "tables" / "dissection-table1.md").read_text()
    assert "| ours | boxes, tested on boxes |" in text
    assert "| published | VerSe, tested on VerSe |" in text


def test_the_commands_of_every_readme_are_three():
    for name in ("verse19", "verse-s2"):
        assert [words[0] for words in commands(EXPERIMENTS / name / "README.md")] == [
            "prepare",
            {"verse19": "crossval", "verse-s2": "trials"}[name],
            "tables",
        ]

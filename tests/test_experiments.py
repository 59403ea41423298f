"""The three commands of each experiment, on a phantom in VerSe's own layout."""

import csv
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest

from spinexplain.cli.main import run
from spinexplain.config import read_config

ROOT = Path(__file__).parent.parent
EXPERIMENTS = ROOT / "experiments"
PRESETS = sorted(EXPERIMENTS.rglob("*.toml"))
FEW = (
    "trunk.name=conv,trunk.weights=none,trunk.blocks=3,trunk.widths=[4,4,8],trunk.max_stride=16,"
    "input.size=56,head.prototypes_per_class=1,validation_share=0.3,classifier.steps=1,warm.steps=1,"
    "joint.steps=1"
)


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


def commands(readme):
    """Return the three commands of a README, as lists of words."""
    block = re.findall(r"```console\n(.*?)```", readme.read_text(), flags=re.DOTALL)[0]
    lines = block.replace("\\\n", " ").splitlines()
    return [shlex.split(line.removeprefix("$ spinexplain ")) for line in lines]


def write_richer_table(source, table):
    """Call more vertebrae fractured and everybody training: every fold needs every class."""
    rows = list(csv.DictReader(source.open()))
    for row in rows:
        row |= {"dataset": "training", "T8_fx-g": 2, "T8_fx-s": 1}
        row |= {"L4_fx-g": 3, "L4_fx-s": 1, "L5_fx-g": 3, "L5_fx-s": 1}
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.slow
def test_verse19_runs_in_three_commands(spines, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dataset-verse19training").symlink_to(spines)
    write_richer_table(spines / "fractures.csv", tmp_path / "fractures.csv")
    shutil.copytree(EXPERIMENTS, tmp_path / "experiments")
    prepare, crossval, tables = commands(EXPERIMENTS / "verse19" / "README.md")
    for folder in ("dataset-verse19validation", "dataset-verse19test"):
        prepare.remove(folder)  # one phantom stands for the three
    run(["fractures.csv" if word.endswith(".xlsx") else word for word in prepare])
    few = [
        f"{word}:{FEW},as={Path(word).stem}" if word.endswith(".toml") else word
        for word in crossval
    ]
    run(["2" if word == "5" else word for word in few])
    run(tables)
    text = (tmp_path / "tables" / "tables.md").read_text()
    assert "Not a replication" in text
    for name in ("baseline", "protopnet", "protoverse"):
        assert f"| ours | {name} |" in text
    assert (tmp_path / "tables" / "protoverse-figure3-protoverse.png").exists()


def test_the_commands_of_every_readme_are_three():
    for name in ("verse19", "verse-s2"):
        assert [words[0] for words in commands(EXPERIMENTS / name / "README.md")] == [
            "prepare",
            {"verse19": "crossval", "verse-s2": "trials"}[name],
            "tables",
        ]

from itertools import pairwise
from pathlib import Path

import pytest

from spinexplain.config.entries import parse_entry
from spinexplain.errors import ConfigError, FileFormatError, OutputError
from spinexplain.experiment.ablation import design, parse_factor
from spinexplain.reproduce.papers import (
    SIZES,
    UNSEEN,
    Asked,
    Step,
    copy_presets,
    detector_sizes,
    paper_of,
    read_hours,
    run_steps,
    verse19,
    verse_s2,
)

ROOT = Path(__file__).parents[2]
ASKED = Asked((Path("training"),), Path("table.xlsx"))
STEPS = [
    Step("first", ("train", "p", "cohort", "-o", "runs/p"), "runs/p/done", "table 1"),
    Step("second", ("tables", "results"), "", "all"),
]


def test_every_method_has_as_many_candidates(monkeypatch):
    monkeypatch.chdir(ROOT / "experiments" / "verse19")
    words = next(step.command for step in verse19(ASKED) if step.command[0] == "crossval")
    entries = [parse_entry(text) for text in words[1:4]]
    assert [len(entry.candidates) for entry in entries] == [3, 3, 3]
    assert {entry.config.trunk.weights for entry in entries} == {"none"}


def test_ablations_vary_what_the_tables_of_the_paper_hold():
    words = [step.command for step in verse19(ASKED) if step.command[0] == "ablate"]
    over = [text for one in words for word, text in pairwise(one) if word == "--over"]
    factors = [parse_factor(text) for text in over]
    assert [len(factor.values) for factor in factors] == [4, 4, 4]
    preset = parse_entry(str(ROOT / "experiments" / "verse19" / "protoverse.toml")).config
    for factor in factors:  # every value is one that a training takes
        assert len(design(preset, [factor], False, "protoverse").entries) >= 4


def test_weights_and_settings_reach_every_training(tmp_path):
    asked = Asked((), Path("t"), tmp_path / "vgg11.pth", settings="seed=7")
    presets = [w for step in verse19(asked) for w in step.command if ".toml" in w]
    assert presets
    assert all(f"{tmp_path}/vgg11.pth" in text and "seed=7" in text for text in presets)


def test_three_detectors_are_tested_on_one_cohort():
    trials = [step.command for step in verse_s2(ASKED) if step.command[0] == "trials"]
    assert len(trials) == 3
    assert {words[words.index("--test") + 1] for words in trials} == {"boxes"}


def test_every_training_of_the_three_detectors_is_dissected():
    steps = verse_s2(Asked((Path("training"),), Path("table.xlsx"), seeds=2))
    dissected = [step.command for step in steps if step.command[0] == "dissect"]
    trials = [step.command for step in steps if step.command[0] == "trials"]
    bundles = [f"{words[-1]}/runs/boxes--seed{seed}/bundle" for words in trials for seed in (0, 1)]
    assert [words[1] for words in dissected] == bundles
    assert len({step.result for step in steps}) == len(steps)


def test_every_training_of_every_size_is_dissected_on_unseen_spines():
    steps = detector_sizes(Asked((), Path(), seeds=2))
    dissected = [step.command for step in steps if step.command[0] == "dissect"]
    assert len(dissected) == 2 * len(SIZES)
    assert {words[2] for words in dissected} == {UNSEEN}
    drawn = [step.command for step in steps if step.command[0] == "phantom"]
    assert len({words[words.index("--seed") + 1] for words in drawn}) == len(SIZES) + 1
    trials = next(step.command for step in steps if step.command[0] == "trials")
    assert {words[1].split("/runs/")[1].split("--")[0] for words in dissected} <= set(trials)


def test_a_stopped_run_goes_on_with_the_step_that_failed(tmp_path):
    ran = []

    def failing(command, folder):
        (folder / "runs" / "p").mkdir(parents=True, exist_ok=True)
        return 1

    with pytest.raises(OutputError, match=r"step first .* code 1"):
        run_steps(STEPS, tmp_path, failing, lambda: None)

    def working(command, folder):
        ran.append(command)
        if command[0] == "train":
            (folder / "runs" / "p" / "done").touch()
        return 0

    pages = []
    run_steps(STEPS, tmp_path, working, lambda: pages.append(1))
    assert [words[-1] for words in ran] == ["--resume", "results"]
    assert len(pages) == 2
    ran.clear()
    run_steps(STEPS, tmp_path, working, lambda: None)
    assert [words[0] for words in ran] == ["tables"]
    assert set(read_hours(tmp_path)) == {"first", "second"}


def test_presets_that_were_changed_are_kept(tmp_path):
    paper = paper_of("verse-s2")
    copy_presets(ROOT, paper, tmp_path)
    (tmp_path / "detector.toml").write_text("mine")
    copy_presets(ROOT, paper, tmp_path)
    assert (tmp_path / "detector.toml").read_text() == "mine"
    with pytest.raises(FileFormatError, match="--checkout"):
        copy_presets(tmp_path, paper, tmp_path)


def test_an_unknown_paper_is_named():
    with pytest.raises(ConfigError, match="verse19, verse-s2"):
        paper_of("verse20")

import json

import numpy as np

from spinexplain.config.entries import parse_entry
from spinexplain.evaluate.predictions import read_predictions
from spinexplain.experiment.folds import (
    fold_folder,
    is_done,
    plan_hash,
    pooled_predictions,
    run_fold,
)
from spinexplain.models.bundle.store import load_grader
from spinexplain.progress import Steps


def test_a_fold_is_judged_on_what_it_was_not_trained_on(toy_folded, tiny_preset, tmp_path):
    entry = parse_entry(str(tiny_preset))
    folders = [run_fold(entry, toy_folded, fold, tmp_path) for fold in range(2)]
    tables = [read_predictions(folder / "predictions.parquet") for folder in folders]
    for fold, table in enumerate(tables):
        held_out = set(toy_folded.data.subjects[toy_folded.fold == fold].tolist())
        assert set(table["subject"]) == held_out
        grader = load_grader(folders[fold] / "bundle")
        assert not held_out & {exemplar.provenance.subject for exemplar in grader.exemplars}
        assert table["bundle_sha256"].unique().tolist() == [grader.info.sha256]
    pooled = pooled_predictions(tmp_path, entry, 2)
    assert sorted(pooled["fold"].unique()) == [0, 1]
    assert len(pooled) == len(toy_folded.data)


def test_a_finished_fold_is_not_trained_again(toy_folded, tiny_preset, tmp_path):
    entry = parse_entry(str(tiny_preset))
    folder = run_fold(entry, toy_folded, 0, tmp_path)
    assert folder == fold_folder(tmp_path, entry, 0)
    assert is_done(folder)
    stamp = (folder / "predictions.parquet").stat().st_mtime_ns
    seen = []
    run_fold(entry, toy_folded, 0, tmp_path, lambda *step: seen.append(step))
    assert not seen
    assert (folder / "predictions.parquet").stat().st_mtime_ns == stamp


def test_a_fold_that_was_cut_off_goes_on(toy_folded, tiny_preset, tmp_path):
    entry = parse_entry(str(tiny_preset))
    whole = run_fold(entry, toy_folded, 0, tmp_path / "whole")

    class Killed(Exception):
        pass

    def killed(phase, done, steps):
        if phase == "warm":
            raise Killed

    try:
        run_fold(entry, toy_folded, 0, tmp_path / "cut", Steps(killed))
    except Killed:
        assert not is_done(fold_folder(tmp_path / "cut", entry, 0))
    cut = run_fold(entry, toy_folded, 0, tmp_path / "cut")
    scores = [read_predictions(f / "predictions.parquet")["p_G2"].to_numpy() for f in (whole, cut)]
    np.testing.assert_array_equal(*scores)


def test_the_record_pins_everything(toy_folded, tiny_preset, tmp_path):
    entry = parse_entry(str(tiny_preset))
    record = json.loads((run_fold(entry, toy_folded, 0, tmp_path) / "fold.json").read_text())
    assert record["data_sha256"] == toy_folded.sha256
    assert record["config_sha256"] == entry.sha256
    assert record["trained_on"] + record["held_out"] <= len(toy_folded.data)


def test_the_plan_hash_sees_entries_and_folds(toy_folded, tiny_preset):
    entries = [parse_entry(str(tiny_preset))]
    assert plan_hash(entries, toy_folded, 2, 0) != plan_hash(entries, toy_folded, 3, 0)

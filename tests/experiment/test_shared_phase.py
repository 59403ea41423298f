import csv

import pytest
import torch

from spinexplain.config.entries import parse_entry
from spinexplain.experiment.folds import FoldedData, run_fold
from spinexplain.experiment.shared_phase import classifier_key, keep, take


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ("loss.lambda_div=0", True),
        ("head.prototypes_per_class=5", True),
        ("head.kind=linear", True),
        ("projection.allow_duplicates=true", True),
        ("loss.lambda_height=0", False),
        ("loss.class_weights=none", False),
        ("classifier.steps=7", False),
        ("head.pooling=average", False),
        ("augment.shift_mm=0", False),
        ("seed=1", False),
    ],
)
def test_the_key_follows_what_the_classifier_depends_on(change, same):
    one, two = (parse_entry(f"protoverse-unaddressed:{c}as=x").config for c in ("", f"{change},"))
    assert (classifier_key(one, "data") == classifier_key(two, "data")) == same
    assert classifier_key(one, "data") != classifier_key(one, "other data")


def test_nothing_is_lent_that_was_not_kept(tmp_path):
    assert not take(tmp_path / "store", "key", tmp_path / "run")
    keep(tmp_path / "store", "key", tmp_path / "run")
    assert not (tmp_path / "store").exists()


def test_a_run_with_a_lent_classifier_has_the_bits_of_its_own(toy_folded, tiny_preset, tmp_path):
    """Baseline first, then prototypes from its classifier; against prototypes alone."""
    folded = FoldedData(toy_folded.data, toy_folded.fold, "d" * 64)
    entry = parse_entry(f"{tiny_preset}:as=prototypes")
    run_fold(parse_entry(f"{tiny_preset}:head.kind=linear,as=linear"), folded, 0, tmp_path / "a")
    shared = run_fold(entry, folded, 0, tmp_path / "a")
    alone = run_fold(entry, folded, 0, tmp_path / "b")
    assert '"classifier_shared": true' in (shared / "fold.json").read_text()
    assert '"classifier_shared": false' in (alone / "fold.json").read_text()
    states = [
        torch.load(run / "joint-1.ckpt", weights_only=True)["model"] for run in (shared, alone)
    ]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    logs = [list(csv.reader((run / "log.csv").open())) for run in (shared, alone)]
    assert logs[0] == logs[1]

import numpy as np
import pytest

from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.reproduce.dissection import training_size
from spinexplain.reproduce.dissection.training_size import (
    LEARNING,
    SEEDS,
    SIZES,
    UNTRAINED,
    design,
    last_loss,
    learning_set,
    measure,
    person_of,
    scans_of,
    weighted_auc,
)
from spinexplain.reproduce.setting import Setting


def a_set(persons: list[str]) -> TrainingSet:
    count = len(persons)
    names = np.array(persons)
    boxes = np.zeros((count, 4, 4, 4), np.int16)
    return TrainingSet(boxes, np.arange(count), names, names, names, np.full((count, 3), 1.5))


def test_every_seed_has_other_persons_as_far_as_there_are():
    few = [set(scans_of(SIZES[0], seed)) for seed in SEEDS]
    assert all(not one & other for k, one in enumerate(few) for other in few[:k])
    assert all(
        set(scans_of(size, seed)) <= set(range(LEARNING[1])) for size in SIZES for seed in SEEDS
    )
    assert {len(scans_of(size, seed)) for size in SIZES[-1:] for seed in SEEDS} == {LEARNING[1]}


def test_few_persons_are_shown_as_often_as_many():
    everyone = a_set([person_of(index) for index in range(LEARNING[1])])
    sizes = {size: learning_set(everyone, size, 1) for size in SIZES}
    assert {len(one) for one in sizes.values()} == {LEARNING[1]}
    few = sizes[SIZES[0]]
    assert set(few.subjects) == {person_of(index) for index in scans_of(SIZES[0], 1)}


def test_an_area_counts_vertebrae_as_often_as_they_are_taken():
    odds, positive = np.array([0.0, 2.0, 1.0, 3.0]), np.array([False, False, True, True])
    assert weighted_auc(odds, positive, np.ones(4)) == 0.75
    assert weighted_auc(odds, positive, np.array([1.0, 0.0, 1.0, 1.0])) == 1.0


def test_the_last_loss_is_that_of_the_last_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(training_size, "LAST_STEPS", 2)
    rows = [f"detector,{step},cross_entropy,{loss}" for step, loss in enumerate((9, 0.5, 0.3))]
    (tmp_path / "log.csv").write_text(
        "\n".join(["phase,step,term,value", *rows, "detector,2,height,8"])
    )
    assert last_loss(tmp_path / "log.csv") == pytest.approx(0.4)


def test_the_box_stays_inside_what_is_kept():
    config = design()
    assert config.volume_augment is not None
    reach = config.input.extent_mm / 2 + config.volume_augment.shift_mm
    assert reach <= training_size.KEPT_MM / 2


def test_a_training_and_an_untrained_network_are_dissected(tmp_path, monkeypatch):
    monkeypatch.setattr(training_size, "SIZES", (2,))
    # Seeds whose persons have fractured and healthy vertebrae.
    monkeypatch.setattr(training_size, "LEARNING", (1, 2))
    monkeypatch.setattr(training_size, "VALIDATION", (8, 2))
    monkeypatch.setattr(training_size, "UNSEEN", (7, 2))
    monkeypatch.setattr(training_size, "EPOCHS", 2)
    setting = Setting(tmp_path, tmp_path / "work", tmp_path / "results", tmp_path)
    measure(setting, seeds=(0,))
    content = setting.stored(training_size.RESULTS)
    learned, untrained = content["runs"]["2"]["0"], content["runs"][str(UNTRAINED)]["0"]
    assert learned["vertebrae"] > learned["fractures"] > 0
    assert learned["steps"] > 0
    assert "steps" not in untrained
    for run in (learned, untrained):
        assert run["units"] == 128
        assert run["auc"]["low"] <= run["auc"]["mean"] <= run["auc"]["high"]
        assert np.isfinite(run["lost_beyond"]["mean"])

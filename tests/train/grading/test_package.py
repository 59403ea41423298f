from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from spinexplain.config.training import TrainConfig
from spinexplain.models.bundle.store import load_grader, save_bundle
from spinexplain.models.grader import Scope
from spinexplain.train.grading.package import Statement, bundle_of, scope_of
from spinexplain.train.grading.recipes import train_model


@pytest.fixture(scope="module")
def statement():
    scope = Scope(levels=("T4", "L5"), max_outside=0.3, refused_flags=("metal",))
    results = {"Held-out squares": "| f1 |\n| --- |\n| 0.9 |"}
    return Statement("toy", "2", "Squares of noise, MIT.", scope, results, {"sheets": 60})


def test_the_scope_is_of_the_levels_seen_and_of_the_settings(toy_set, toy_config, tmp_path):
    """One default, wherever a scope comes from: settings, bundle, or nothing said."""
    trained = train_model(toy_config(), toy_set(), tmp_path / "run")
    scope = scope_of(trained)
    assert set(scope.levels) == set(trained.data.levels.tolist())
    assert scope.max_outside == Scope().max_outside == TrainConfig().max_outside == 0.35
    save_bundle(bundle_of(trained, Statement("toy", "1", "", scope)), tmp_path / "bundle")
    assert load_grader(tmp_path / "bundle").scope == scope
    strict = replace(trained, config=trained.config.model_copy(update={"max_outside": 0.1}))
    assert scope_of(strict).max_outside == 0.1


@pytest.mark.parametrize("shipped", ["protoverse-phantom", "detector-phantom"])
def test_shipped_models_have_the_default(shipped):
    assert load_grader(shipped).scope.max_outside == Scope().max_outside


def test_card_says_what_a_reader_must_know(toy_set, toy_config, tmp_path, statement):
    trained = train_model(toy_config(), toy_set(), tmp_path / "run")
    bundle = bundle_of(trained, statement)
    card = bundle.card
    assert card.startswith("# toy 2\n")
    for words in (
        "Squares of noise, MIT.",
        "Levels: T4 to L5.",
        "At most 30%",
        "flagged metal",
        "not a medical device",
        "not calibrated on patients",
        "## Held-out squares",
        "A cell of the 8 x 8 grid stands for 4 mm and sees at most 19 mm of the 32 mm crop.",
    ):
        assert words in card
    assert bundle.training["sheets"] == 60
    assert bundle.training["config"]["head"]["prototypes_per_class"] == 2
    assert bundle.training["validation"] == trained.figures


def test_bundle_stores_crop_map_and_origin_of_each_prototype(
    toy_set, toy_config, tmp_path, statement
):
    trained = train_model(toy_config(), toy_set(), tmp_path / "run")
    bundle = bundle_of(trained, statement)
    assert bundle.patches_hu.dtype == np.int16
    assert bundle.patches_hu.shape == (6, 32, 32)
    assert bundle.maps.shape == (6, 8, 8)
    for source, record, cells in zip(trained.sources, bundle.records, bundle.maps, strict=True):
        assert record.provenance.subject == trained.data.subjects[source.row]
        assert record.provenance.grade == f"G{trained.data.grades[source.row]}"
        crop = trained.data.patches_hu[source.row].astype("<i2")
        assert record.patch_sha256 == sha256(crop.tobytes()).hexdigest()
        assert np.unravel_index(cells.argmax(), cells.shape) == source.cell


def test_card_and_bundle_of_crops_scaled_to_the_body_say_so(
    toy_set, toy_config, tmp_path, statement
):
    config = toy_config(input={"body_height_mm": 24.0})
    trained = train_model(config, replace(toy_set(), body_height_mm=24.0), tmp_path / "run")
    bundle = bundle_of(trained, statement)
    assert "so that the body should be 24 mm tall" in bundle.card
    assert load_grader(save_bundle(bundle, tmp_path / "bundle")).spec.body_height_mm == 24.0

import numpy as np
import pytest

from spinexplain.config.tasks import TASKS
from spinexplain.config.training import InputSpec
from spinexplain.errors import ConfigError
from spinexplain.explainers.dissection.samples import UNSPLIT, select_samples

SPEC = InputSpec(extent_mm=64, size=32, channels=("ct",))
TASK = TASKS["fracture"]


def test_graded_vertebrae_of_the_split_take_part(known_cohort, tmp_path):
    cohort = known_cohort(tmp_path / "c", grades=("G0", "G1", "G2", "G3", "x"))
    samples = select_samples(cohort, SPEC, TASK)
    assert samples.grades.tolist() == ["G0", "G2", "G3"]
    assert samples.positive.tolist() == [False, True, True]
    assert samples.split == "training"
    assert len(select_samples(cohort, SPEC, TASK, mild=True)) == 4
    assert len(select_samples(cohort, SPEC, TASKS["g0-g1-g2-g3"])) == 4


def test_a_cohort_without_splits_is_used_whole(known_cohort, tmp_path):
    cohort = known_cohort(tmp_path / "c", grades=("G0", "G2"), split=None)
    samples = select_samples(cohort, SPEC, TASK)
    assert (len(samples), samples.split) == (2, UNSPLIT)


def test_the_test_split_is_refused(known_cohort, tmp_path):
    cohort = known_cohort(tmp_path / "c", grades=("G0", "G2"), split="test")
    with pytest.raises(ConfigError, match='split "test" is kept'):
        select_samples(cohort, SPEC, TASK, "test")
    with pytest.raises(ConfigError, match='split "tset" is not known'):
        select_samples(cohort, SPEC, TASK, "tset")
    with pytest.raises(ConfigError, match="the training split has no fractured"):
        select_samples(cohort, SPEC, TASK)


def test_a_cohort_without_grades_needs_the_table(known_cohort, tmp_path):
    cohort = known_cohort(tmp_path / "c", grades=(None, None), split=None)
    with pytest.raises(ConfigError, match=r"no vertebra has a grade; .*--table"):
        select_samples(cohort, SPEC, TASK)


def test_a_cohort_without_splits_is_not_said_to_have_one(known_cohort, tmp_path):
    cohort = known_cohort(tmp_path / "c", grades=("G0", "G0"), split=None)
    with pytest.raises(ConfigError, match="the cohort has no fractured vertebra"):
        select_samples(cohort, SPEC, TASK)


@pytest.mark.parametrize(
    ("grades", "missing"),
    [(("G0", "G1"), "fractured"), (("G2", "G3"), "healthy"), (("x",), "fractured")],
)
def test_both_kinds_are_needed(known_cohort, tmp_path, grades, missing):
    with pytest.raises(ConfigError, match=f"no {missing} vertebra with 2-D patches"):
        select_samples(known_cohort(tmp_path / "c", grades=grades), SPEC, TASK)


def test_patches_of_the_models_kind_are_needed(known_cohort, tmp_path):
    cohort = known_cohort(tmp_path / "c", grades=("G0", "G2"))
    with pytest.raises(ConfigError, match=r"has no 3-D patches, .* --patches 3d"):
        select_samples(cohort, InputSpec(axes=3, extent_mm=64, size=32), TASK)


def test_crops_are_the_middle_of_the_stored_patch(known_cohort, tmp_path):
    cohort = known_cohort(tmp_path / "c", grades=("G0", "G2"))
    samples = select_samples(cohort, SPEC, TASK)
    stored = cohort.read("patches_2d", [1])[0]
    np.testing.assert_array_equal(samples.crops(np.array([1]))[0], stored[40:104, 40:104])
    batches = list(samples.batches(1))
    assert [tuple(batch.shape) for batch in batches] == [(1, 1, 32, 32)] * 2


def test_regions_are_cut_like_the_crops_and_left_out_where_unknown(known_cohort, tmp_path):
    cohort = known_cohort(tmp_path / "c", grades=("G0", "G2"))
    healthy, fractured = select_samples(cohort, SPEC, TASK).regions()
    assert "evidence" not in healthy
    rows, columns = np.nonzero(fractured["evidence"])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 25, 16, 47)
    assert fractured["body"].sum() == 24 * 32
    assert fractured["shortcut"].sum() == 16


def test_crops_scaled_to_the_body_are_refused(known_cohort, tmp_path):
    cohort = known_cohort(tmp_path / "c", grades=("G0", "G2"))
    scaled = SPEC.model_copy(update={"body_height_mm": 24.0})
    with pytest.raises(ConfigError, match="scaled to bodies of 24 mm"):
        select_samples(cohort, scaled, TASK)

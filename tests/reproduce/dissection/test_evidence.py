import numpy as np
import pytest

from spinexplain.explainers.dissection.samples import select_samples
from spinexplain.reproduce.dissection.evidence import Units, evidence_of, units_of
from toy_dissection import UNITS, toy_grader, write_toy_cohort


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    cohort = write_toy_cohort(tmp_path_factory.mktemp("toy") / "c")
    grader = toy_grader()
    return grader, select_samples(cohort, grader.spec, grader.task)


def test_the_bright_unit_lies_on_the_fracture(toy):
    units, activity, _ = units_of(*toy, layer="layers", quantile=0.95)
    found = dict(zip(UNITS, units.share(), strict=True))
    # Cells are 8 mm wide, the evidence is 6 mm high, and marks are bright too.
    assert found["bright"] > 0.4
    assert found["bright"] > 5 * units.chance
    assert found["zero"] == 0
    assert units.top("contrast")[0] == UNITS.index("bright")
    assert activity.peaks.shape == (len(toy[1]), len(UNITS))


def test_evidence_is_cut_to_the_crop(toy):
    samples = toy[1]
    found = [evidence_of(samples, n).sum() for n in range(len(samples))]
    assert (np.array(found) > 0).tolist() == samples.positive.tolist()
    assert evidence_of(samples, 1, "shortcut").any()


def test_overlap_by_hand():
    units = Units(
        enabled=np.array([[True, False], [False, True]]),
        ranked=np.array([True, True]),
        positive=np.array([True, False]),
        subjects=np.array([0, 1]),
        inside=np.array([[6.0, 1.0], [0.0, 0.0]]),
        mask=np.array([[10.0, 4.0], [0.0, 0.0]]),
        evidence=np.array([8.0, 0.0]),
        crop=np.array([80.0, 0.0]),
    )
    assert units.iou() == pytest.approx([6 / 12, 1 / 11])
    assert units.share() == pytest.approx([0.6, 0.25])
    assert units.chance == pytest.approx(0.1)
    assert units.shares()[0].tolist() == [1.0, 0.0]
    assert units.iou(np.array([2.0, 0.0])) == pytest.approx([6 / 12, 1 / 11])

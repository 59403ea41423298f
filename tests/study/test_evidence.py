import numpy as np
import pytest

from spinexplain.data.cohort import Cohort
from spinexplain.errors import ConfigError
from spinexplain.models.bundle.store import load_grader
from spinexplain.study.cases import case_patch, graded
from spinexplain.study.evidence import explained, foil, foil_kinds, make_arm
from spinexplain.study.record import FOILS


@pytest.fixture(scope="module")
def grader(finished_run):
    return load_grader(finished_run[0] / "bundle", runtime="torch")


@pytest.fixture(scope="module")
def shown(grader, other_cohort):
    cohort = Cohort.open(other_cohort)
    rows = list(range(0, 16, 2))
    called = graded(cohort, rows, grader)
    arm = make_arm("prototypes", grader, "prototypes", ())
    return [
        explained(
            arm, str(cohort.index["subject"][r]), case_patch(cohort, r, grader.spec), called[r]
        )
        for r in rows
    ]


def test_prototypes_come_by_similarity(shown):
    for one in shown:
        likeness = [item.detail.similarity for item in one.evidence]
        assert likeness == sorted(likeness, reverse=True)


def test_foils_are_what_they_are_called(shown):
    rng = np.random.default_rng(0)
    one = shown[3]
    assert foil_kinds(shown, 3, 2) == FOILS
    real = {item.name for item in one.evidence[:2]}
    assert not real & {item.name for item in foil(shown, 3, FOILS[0], 2, rng)}
    wrong = foil(shown, 3, FOILS[1], 2, rng)
    assert all(item.class_name != one.target for item in wrong)
    least = min(i.detail.similarity for i in one.evidence if i.class_name != one.target)
    assert wrong[0].detail.similarity == least


def test_a_blind_map_does_not_depend_on_the_image(shown):
    rng = np.random.default_rng(0)
    blind = foil(shown, 3, FOILS[2], 2, rng)
    assert [item.name for item in blind] == [item.name for item in shown[3].evidence[:2]]
    assert not np.allclose(blind[0].heatmap, shown[3].evidence[0].heatmap)
    others = [
        one.evidence[0].heatmap / one.evidence[0].heatmap.max()
        for one in shown
        if one.subject != shown[3].subject and one.target == shown[3].target
    ]
    if len(others) < 3:
        others = [
            o.evidence[0].heatmap / o.evidence[0].heatmap.max()
            for o in shown
            if o.subject != shown[3].subject
        ]
    np.testing.assert_allclose(blind[0].heatmap, np.mean(others, axis=0), atol=1e-6)


def test_too_few_others_make_no_blind_map(shown):
    assert FOILS[2] not in foil_kinds(shown[:2], 0, 2)
    assert FOILS[0] not in foil_kinds(shown, 0, len(shown[0].evidence))


@pytest.mark.parametrize(
    ("method", "message"), [("magic", "expected one of"), ("units", "no dissection")]
)
def test_an_arm_that_cannot_be_is_refused(grader, method, message):
    with pytest.raises(ConfigError, match=message):
        make_arm("a", grader, method, ())

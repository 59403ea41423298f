from dataclasses import replace

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import derived_task
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.scan import make_subject
from spinexplain.findings.sides import expected_grade, left_minus_right, side_evidence
from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce.sides import Persons, close_around
from spinexplain.spine.reformat import sample_patch, sheet_frame
from spinexplain.types import Grading, SideReliability, Vertebra, Volume

KNOWN = SideReliability(
    "placement", (8.0, 12.0), 0.6, 0.9, 0.8, 0.95, 80, 0.75, 0.97, 0.1, 40, heights=1.0
)
LEANS = Persons("one-sided", 21, 1, 1.0)  # its first person's T12 sank 10 mm right, 5 mm left


def graded(task, *probabilities):
    return Grading(Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0)), task, probabilities)


def test_the_expected_grade_is_the_mean_of_grades_weighed_by_scores():
    genant = derived_task(("G0", "G2", "G3"))
    assert expected_grade(graded(genant, 0.2, 0.3, 0.5)) == pytest.approx(0.3 * 2 + 0.5 * 3)
    two = derived_task(("no fracture", "fracture"))  # of grades 2 and 3
    assert expected_grade(graded(two, 0.6, 0.4)) == pytest.approx(0.4 * 2.5)


def test_sides_are_means_of_their_sheets_and_the_middle_is_neither():
    offsets, values = (-12.0, -8.0, 0.0, 8.0, 12.0), (1.0, 2.0, 100.0, 4.0, 5.0)
    assert left_minus_right(offsets, values) == pytest.approx(3)
    assert left_minus_right(offsets, values[::-1]) == pytest.approx(-3)


@pytest.fixture(scope="module")
def case():
    """A drawn fracture that sank more on the right, its sheet and the shipped network."""
    scan = make_subject(close_around(load_preset("placement"), LEANS), LEANS.seed, 0)
    truth = next(one for one in scan.truth if one.level == "T12")
    assert truth.displaced.right > 1.5 * truth.displaced.left
    vertebra = next(one for one in scan.image.vertebrae if one.level.value == "T12")
    patch = sample_patch(scan.image.volume, vertebra, sheet_frame(scan.image.vertebrae, vertebra))
    grader = load_grader("protoverse-phantom-4")
    return scan.image.volume, patch, replace(grader, info=replace(grader.info, sides=KNOWN))


def test_the_side_that_sank_more_is_named(case):
    volume, patch, grader = case
    found = side_evidence(grader, volume, patch, grader.grade([patch])[0])
    assert found.side == "right"
    assert found.offsets_mm == (-12.0, -8.0, 0.0, 8.0, 12.0)
    assert found.difference == pytest.approx(np.mean(found.grades[3:]) - np.mean(found.grades[:2]))
    assert all(one.shape == patch.array.shape for one in found.maps)
    assert all((one >= 0).all() and one.max() > 0 for one in found.maps)


def test_nothing_is_asked_of_what_is_healthy_or_was_not_tested(case):
    volume, patch, grader = case
    healthy = graded(grader.task, 0.9, 0.1, 0.0)
    assert side_evidence(grader, volume, patch, healthy) is None
    untested = replace(grader, info=replace(grader.info, sides=None))
    fracture = graded(grader.task, 0.1, 0.9, 0.0)
    assert side_evidence(untested, volume, patch, fracture) is None


@pytest.mark.parametrize("left", [True, False])
def test_no_side_is_named_where_the_scan_ends_beside_the_body(case, left):
    volume, patch, grader = case
    grading = grader.grade([patch])[0]
    assert grading.is_fracture
    beside = np.add(patch.vertebra.centroid_mm, (-10 if left else 10, 0, 0))
    cut = _without_one_side(volume, beside, left)
    assert side_evidence(grader, cut, patch, grading) is None


def _without_one_side(volume, beside_mm, left):
    """Leave out what lies further to the patient's left, or right, than a point."""
    axis = int(np.argmax(np.abs(volume.affine[0, :3])))
    at = round(float((np.linalg.inv(volume.affine) @ [*beside_mm, 1])[axis]))
    ahead = (volume.affine[0, axis] < 0) == left  # what is left out has the higher indices
    kept = [slice(None)] * 3
    kept[axis] = slice(None, at) if ahead else slice(at, None)
    affine = volume.affine.copy()
    affine[:3, 3] += 0 if ahead else at * affine[:3, axis]
    return Volume(volume.array[tuple(kept)], affine)

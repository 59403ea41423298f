from dataclasses import replace

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.findings.scan import Assessment
from spinexplain.findings.summary import slice_spacing_mm, summarize, training_lines
from spinexplain.localizer.segment import PaintedBodies
from spinexplain.localizer.settle import Settled
from spinexplain.texts.catalogue import load_catalogue
from spinexplain.types import Volume


@pytest.fixture
def say():
    return load_catalogue()


def test_the_lumbar_scan_in_words(lumbar, say):
    summary = summarize(lumbar, say)
    assert summary.headline == "Suspected fractures"
    assert [(s.level, s.words) for s in summary.suspects] == [
        ("L1", "moderate"),
        ("L3", "moderate"),
    ]
    assert summary.warnings == (
        "Measured height loss of 25 % or more: L1 (31 %) and L3 (29 %).",
        "Model and measured heights disagree at L3.",
    )
    assert summary.coverage == (
        "Graded T12–L4, 5 of 6 levels in view.",
        "Not in view: T1–T11.",
        "L5 is not assessable: cut by the scan's border.",
    )
    assert summary.caveats == (
        "The model protoverse-lite0 cannot output mild (G1).",
        "Level names come from the mask and are not verified.",
        "Slices 3 mm apart.",
    )


def test_without_a_mask_it_says_that_nothing_checks_the_grades(thoracic, say):
    summary = summarize(thoracic, say)
    assert [s.level for s in summary.suspects] == ["T6", "T11"]
    assert summary.warnings == ()
    assert "nothing checks the model's grades" in " ".join(summary.caveats)


def test_a_healthy_scan_has_nothing_to_warn_of(healthy, say):
    summary = summarize(healthy, say)
    assert summary.headline == "No fracture is suspected."
    assert (summary.suspects, summary.warnings) == ((), ())


def test_where_no_level_could_be_graded(lumbar, graded_as, say):
    none = tuple(graded_as(item, None, "metal") for item in lumbar.vertebrae)
    summary = summarize(replace(lumbar, vertebrae=none), say)
    assert summary.headline == "No level could be graded."
    assert summary.coverage[0] == "Not in view: T1–T11."
    assert summary.suspects == ()


def test_a_model_that_knows_no_severity_says_so(two_models, say):
    caveats = " ".join(summarize(two_models, say).caveats)
    assert "unet3d-dissected says fracture or no fracture, not how severe" in caveats


def test_levels_at_which_models_disagree_are_named(two_models, say):
    # the second model calls all of them fractured, the first L1 alone
    warnings = summarize(two_models, say).warnings
    assert warnings[-1] == "Models disagree on fracture at T12, L2\N{EN DASH}L4."


def test_levels_without_heights_among_levels_with_are_named(lumbar, say):
    one = (replace(lumbar.vertebrae[0], heights=None), *lumbar.vertebrae[1:])
    caveats = summarize(replace(lumbar, vertebrae=one), say).caveats
    assert "Heights could not be measured at T12." in caveats


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_slices_are_counted_along_the_body_whatever_the_axis(order):
    affine = np.diag([0.7, 0.8, 2.5, 1.0])[:, [*order, 3]]
    assert slice_spacing_mm(Volume(np.zeros((2, 2, 2)), affine)) == pytest.approx(2.5)


def test_a_tilted_gantry_and_values_that_are_not_hu_are_said(lumbar, graded_as, say):
    affine = lumbar.volume.affine.copy()
    affine[:3, 2] += (
        np.tan(np.radians(15))
        * np.linalg.norm(affine[:3, 2])
        * (affine[:3, 1] / np.linalg.norm(affine[:3, 1]))
    )
    volume = Volume(np.abs(lumbar.volume.array), affine)
    first = replace(lumbar.vertebrae[0], flags=("gantry_tilt", "not_hounsfield"))
    summary = summarize(replace(lumbar, volume=volume, vertebrae=(first,)), say)
    assert "Gantry tilt of 15.0 degrees" in " ".join(summary.caveats)
    assert "may not be Hounsfield units (the lowest is" in summary.warnings[0]


def test_what_the_first_model_refuses_counts_as_graded_where_another_grades_it(two_models, say):
    item = two_models.vertebrae[1]
    refused = replace(item, assessments=(Assessment.refused("metal"), item.assessments[1]))
    summary = summarize(replace(two_models, vertebrae=(refused,)), say)
    assert [(one.level, one.grade) for one in summary.suspects] == [("L1", "G2")]
    assert "Graded L1" in summary.coverage[0]
    assert "not assessable" not in " ".join(summary.coverage)


def test_a_phantom_is_called_one_before_anything_else(lumbar, say):
    source = replace(lumbar.source, facts=replace(lumbar.source.facts, phantom=True))
    warnings = summarize(replace(lumbar, source=source), say).warnings
    assert warnings[0] == "A phantom: this spine was drawn by a program and is no patient's."
    assert not any("phantom" in text for text in summarize(lumbar, say).warnings)


def test_training_is_said_in_one_line_and_never_as_proof(two_models, say):
    lines = training_lines(two_models.models, say)
    assert lines == ["Trained on synthetic spines only: not validated on patients."]
    other = replace(two_models.models[0], name="own", trained_on="374 vertebrae of patients' CTs.")
    said = training_lines([other, two_models.models[1]], say)
    assert said[0].startswith("own was trained on 374 vertebrae of patients' CTs: whether it")
    assert said[1:] == lines


def test_odd_proportions_and_slices_are_said(lumbar, say):
    volume = replace(lumbar.volume, flags=("slices_odd",))
    flat = tuple(replace(item, flags=("odd_proportions",)) for item in lumbar.vertebrae)
    said = summarize(replace(lumbar, volume=volume, vertebrae=flat), say).warnings
    assert sum("blank, repeated or out of order" in text for text in said) == 1
    assert sum("too flat or too tall for their width" in text for text in said) == 1


def test_moves_into_the_bodies_of_a_mask_are_said(lumbar, say):
    moved = {VertebraLevel.L1: 1.0, VertebraLevel.L2: 3.0}
    said = summarize(replace(lumbar, moved_mm=moved), say).caveats
    line = "Given centers were moved to the middle of the mask's body: by 2.0 mm in the median, "
    assert f"{line}by 3.0 mm at most." in said
    assert not any("moved to the middle" in one for one in summarize(lumbar, say).caveats)
    assert not any("stay as given" in one for one in said)


def test_centers_without_a_body_are_said_to_stay_and_no_others(lumbar, say):
    settled = Settled([], {}, PaintedBodies(None, {}), unsettled=(VertebraLevel.L2,))
    said = summarize(replace(lumbar, settled=settled), say).caveats
    assert [one for one in said if "stay as given" in one] == [
        "Centers of L2 stay as given: no body is surely there, or its middle is too far."
    ]

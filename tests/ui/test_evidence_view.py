from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fixtures.scans import unit_detail
from spinexplain.models.receptive import ReceptiveField, upsample_map
from spinexplain.report.html import write_report
from spinexplain.spine.reformat import reformat
from spinexplain.types import Evidence, Exemplar, Explanation, Provenance
from spinexplain.ui.contours import outlines
from spinexplain.ui.evidence_view import telling, view_explanation
from spinexplain.ui.pictures import Album


@pytest.fixture
def explained(lumbar):
    item = lumbar.vertebrae[1]
    return item.patch, item.assessments[0].explanation


def test_three_for_two_against_and_all_others_make_the_logit(explained):
    patch, explanation = explained
    view = view_explanation(explanation, patch, Album())
    scores = [item.score for item in explanation.evidence]
    assert [row.bar.value for row in view.rows] == scores[:3] + sorted(scores)[:2]
    assert view.others.value == pytest.approx(sum(scores[3:]) - sum(sorted(scores)[:2]))
    assert view.others_count == 4
    assert view.total.value == pytest.approx(sum(scores))


def test_a_contribution_that_prints_as_nothing_gets_no_row(explained):
    _, explanation = explained
    scores = [1.2, 0.05, 0.049, 0.0, -0.02, -0.6]
    pieces = [replace(explanation.evidence[0], score=score) for score in scores]
    listed, rest = telling(pieces, additive=True)
    assert [item.score for item in listed] == [1.2, 0.05, -0.6]
    assert [item.score for item in rest] == [0.049, 0.0, -0.02]
    listed, rest = telling(pieces[2:5], additive=True)
    assert [item.score for item in listed] == [0.049]
    assert len(rest) == 2


def test_test_and_training_patch_are_closed_up_at_the_same_scale(explained):
    patch, explanation = explained
    for row in view_explanation(explanation, patch, Album()).rows:
        windows = [row.region.window, row.exemplar.region.window]
        assert windows[0][2:] == windows[1][2:]
        assert 64 <= windows[0][2] <= 112
        for left, top, width, height in windows:
            assert 0 <= left <= 112 - width
            assert 0 <= top <= 112 - height
        assert row.region.pixel_mm == row.exemplar.region.pixel_mm == 1.0


def test_a_training_patch_scaled_to_a_body_has_no_scale_bar(explained):
    patch, explanation = explained
    seen = replace(explanation.patch, frame=replace(explanation.patch.frame, spacing_mm=0.7))
    for row in view_explanation(replace(explanation, patch=seen), patch, Album()).rows:
        assert row.region.pixel_mm == pytest.approx(0.7)
        assert row.exemplar.region.pixel_mm is None


def test_a_cam_has_no_logit_no_others_and_no_training_patch(explained):
    patch, explanation = explained
    cam = Evidence("GradCAM", "G2", explanation.evidence[0].heatmap, 1.0)
    one = Explanation(patch, "G2", "gradcam", "share of the map", (cam,))
    view = view_explanation(one, patch, Album())
    assert (view.total, view.others) == (None, None)
    assert view.rows[0].exemplar is None


def test_all_units_are_shown_with_their_best_training_pictures(explained):
    patch, explanation = explained
    detail = unit_detail(contrast=-0.1)
    one = explanation.evidence[0].exemplars[0]
    other = replace(one, provenance=replace(one.provenance, level="T9"))
    units = [
        replace(item, detail=detail, exemplars=(one, other)[: 2 - place % 2])
        for place, item in enumerate(explanation.evidence[:5])
    ]
    told = Explanation(patch, "G2", "dissection", "relevance", tuple(units))
    view = view_explanation(told, patch, Album())
    assert len(view.rows) == 5
    assert (view.total, view.others) == (None, None)
    assert [row.further[0].provenance.level for row in view.rows[::2]] == ["T9"] * 3
    assert view.rows[1].further == ()


def test_an_explanation_without_evidence_is_drawn_as_none(explained):
    patch, _ = explained
    empty = Explanation(patch, "G2", "prototypes", "contribution to the logit", (), additive=True)
    view = view_explanation(empty, patch, Album())
    assert (view.rows, view.top, view.total.value) == ((), 0.0, 0.0)


def test_the_grid_of_a_scaled_crop_lies_alike_on_test_and_training_patch(explained):
    """A cell's field of 14 mm is 20 samples of 0.7 mm, on a training crop of any body."""
    patch, explanation = explained
    frame = replace(explanation.patch.frame, spacing_mm=0.7)
    told = {"grid": (14, 14), "field_mm": 14.0, "stride_mm": 5.6, "start_mm": 2.8}
    scaled = replace(
        explanation,
        patch=replace(explanation.patch, frame=frame),
        evidence=tuple(replace(item, **told) for item in explanation.evidence),
    )
    for row in view_explanation(scaled, patch, Album()).rows:
        for region in (row.region, row.exemplar.region):
            assert region.grid.field[2:] == pytest.approx((20, 20))
            assert region.grid.cell[2:] == pytest.approx((8, 8))


def test_regions_as_published_have_no_islands_on_sheet_test_and_training_patch(explained):
    """A cell of 4 in small ones, upsampled by the spline, on the 14 x 14 grid of 8 mm."""
    patch, explanation = explained
    rng = np.random.default_rng(0)
    cells = rng.uniform(0, 0.02, (14, 14))
    cells[5:8, 6:9] = rng.uniform(0.04, 0.08, (3, 3))
    cells[6, 7] = 4.0
    heatmap = upsample_map(cells, (112, 112), ReceptiveField(75, 8, 0.0))
    assert outlines(heatmap, "percentile98")[0].count("M") > 1
    exemplar = Exemplar(heatmap, heatmap, Provenance("s", "ct", "L1", "G2", True), (6, 7))
    told = {"grid": (14, 14), "field_mm": 75.0, "stride_mm": 8.0, "start_mm": 0.5}
    item = replace(
        explanation.evidence[0],
        heatmap=heatmap,
        region="percentile98",
        exemplars=(exemplar,),
        **told,
    )
    seen = replace(explanation.patch, array=np.zeros((112, 112), np.float32))
    one = replace(explanation, patch=seen, evidence=(item,))
    (row,) = view_explanation(one, patch, Album()).rows
    for region in (row.region, row.overlay, row.exemplar.region):
        assert region.contours[0].count("M") == 1
    (shifted,) = view_explanation(one, replace(patch, frame=replace(patch.frame)), Album()).rows
    assert shifted.overlay.contours[0].count("M") == 1


def test_washes_share_one_scale(explained):
    patch, explanation = explained
    view = view_explanation(explanation, patch, Album())
    assert view.top == pytest.approx(
        max(e.heatmap.max() for e in telling(explanation.evidence, True)[0])
    )


def test_a_3d_training_patch_is_shown_in_its_mid_sagittal_plane(explained):
    patch, explanation = explained
    array = np.zeros((20, 20, 9), np.float32)
    array[..., 4] = 1000.0
    exemplar = Exemplar(array, array, Provenance("s", "ct", "L1", "G2", True), (0, 0, 0))
    item = replace(explanation.evidence[0], exemplars=(exemplar,))
    album = Album()
    view = view_explanation(replace(explanation, evidence=(item,)), patch, album)
    sagittal = album.add_ct(np.full((20, 20), 1000.0))
    assert view.rows[0].exemplar.region.picture is sagittal


def test_test_and_training_region_are_shown_as_the_model_saw_them(lumbar, explained):
    shown, explanation = explained
    vertebrae = [item.vertebra for item in lumbar.vertebrae]
    (seen,) = [
        patch
        for patch in reformat(lumbar.volume, vertebrae, shape=(80, 80))
        if patch.vertebra == shown.vertebra
    ]
    cropped = [replace(e, heatmap=e.heatmap[16:96, 16:96]) for e in explanation.evidence]
    own = replace(explanation, patch=seen, evidence=tuple(cropped))
    row = view_explanation(own, shown, Album()).rows[0]
    assert (row.region.picture.width, row.region.picture.height) == (80, 80)
    assert (row.overlay.picture.width, row.overlay.picture.height) == (112, 112)


def test_a_prototype_without_pixels_says_so_instead_of_showing_them(lumbar, tmp_path):
    redacted = without_pixels(lumbar)
    page = write_report(redacted, tmp_path) or tmp_path / "report.html"
    text = Path(page).read_text()
    assert text.count("pixels withheld") >= len(lumbar.vertebrae)
    item = redacted.vertebrae[1]
    row = view_explanation(item.assessments[0].explanation, item.patch, Album()).rows[0]
    assert row.exemplar.region is None
    assert row.exemplar.provenance.subject


def without_pixels(findings):
    """Take the pixels out of every training patch of a scan's explanations."""

    def bare(item):
        exemplars = tuple(replace(one, array=None) for one in item.exemplars)
        return replace(item, exemplars=exemplars)

    def assessed(assessment):
        if assessment.explanation is None:
            return assessment
        evidence = tuple(bare(item) for item in assessment.explanation.evidence)
        return replace(assessment, explanation=replace(assessment.explanation, evidence=evidence))

    vertebrae = tuple(
        replace(item, assessments=tuple(assessed(one) for one in item.assessments))
        for item in findings.vertebrae
    )
    return replace(findings, vertebrae=vertebrae)

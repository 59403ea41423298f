import numpy as np

from spinexplain.ui.pictures import Album
from spinexplain.ui.spine_map import view_map


def test_marks_run_down_the_spine_behind_the_bodies(lumbar):
    spine = view_map(lumbar.overview, lumbar.vertebrae, Album())
    assert [mark.level for mark in spine.marks] == ["T12", "L1", "L2", "L3", "L4", "L5"]
    assert np.all(np.diff([mark.y for mark in spine.marks]) > 0)
    for mark in spine.marks:
        left, _, width, _ = mark.box
        assert left + width < mark.x < 100


def test_the_selection_frames_the_body_s_center(lumbar):
    frame = lumbar.overview.frame
    spine = view_map(lumbar.overview, lumbar.vertebrae, Album())
    for mark, item in zip(spine.marks, lumbar.vertebrae, strict=True):
        row, column = frame.to_patch(np.array(item.vertebra.centroid_mm))[:2]
        left, top, width, height = mark.box
        np.testing.assert_allclose(
            (left + width / 2) / 100 * frame.shape[1], column + 0.5, atol=0.01
        )
        np.testing.assert_allclose((top + height / 2) / 100 * frame.shape[0], row + 0.5, atol=0.01)


def test_marks_carry_the_verdict_and_an_ungraded_level_the_hatch(lumbar):
    """The network calls L3 healthy; it lost 29 % of its height, and the verdict suspects it."""
    spine = view_map(lumbar.overview, lumbar.vertebrae, Album())
    keys = [mark.style.key for mark in spine.marks]
    assert keys == ["g0", "g2", "g0", "g2", "g0", "none"]

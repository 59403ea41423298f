"""Heat maps on sheets."""

import numpy as np

from spinexplain.spine.heatmap import on_sheet
from spinexplain.spine.reformat import box_frame
from spinexplain.types import Patch


def test_a_map_of_a_3d_box_is_drawn_where_it_lies_on_the_sheet(lumbar):
    vertebrae = [item.vertebra for item in lumbar.vertebrae]
    shown = lumbar.vertebrae[2].patch
    frame = box_frame(vertebrae, shown.vertebra, (64, 64, 64), 1.5)
    mark_mm = shown.frame.to_mm(np.array([50.0, 70.0]))
    index = np.stack(np.mgrid[:64, :64, :64], axis=-1)
    far = np.linalg.norm(frame.to_mm(index) - mark_mm, axis=-1)
    box = Patch(shown.vertebra, np.zeros((64, 64, 64), np.float32), frame)
    drawn = on_sheet(np.exp(-((far / 6) ** 2)), box, shown)
    rows, columns = np.mgrid[:112, :112]
    np.testing.assert_allclose((rows * drawn).sum() / drawn.sum(), 50, atol=0.5)
    np.testing.assert_allclose((columns * drawn).sum() / drawn.sum(), 70, atol=0.5)

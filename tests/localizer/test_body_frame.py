import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.localizer.body_frame import BODY_SHAPE, BODY_STEP_MM, body_frame
from spinexplain.models.body_network import BODY_STRIDE
from spinexplain.types import Vertebra


def test_a_crop_follows_the_spine_and_fits_the_network():
    tilted = [
        Vertebra(level, (0.0, 10.0 * i, -30.0 * i))
        for i, level in enumerate([VertebraLevel.L1, VertebraLevel.L2, VertebraLevel.L3])
    ]
    frame = body_frame(tilted, tilted[1])
    along = np.array([0.0, 10.0, -30.0]) / np.hypot(10.0, 30.0)
    assert np.allclose(frame.axes[0], along, atol=1e-6)
    assert np.allclose(frame.center_mm, (0.0, 10.0, -30.0))
    assert (frame.shape, frame.spacing_mm) == (BODY_SHAPE, BODY_STEP_MM)
    assert all(side % BODY_STRIDE == 0 for side in BODY_SHAPE)

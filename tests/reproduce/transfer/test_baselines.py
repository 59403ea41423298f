import numpy as np
import pytest

from spinexplain.reproduce.transfer import baselines


@pytest.mark.parametrize("seed", range(5))
def test_the_chosen_threshold_is_the_best_there_is(seed):
    rng = np.random.default_rng(seed)
    fractured = rng.random(60) < 0.4
    scores = np.round(rng.normal(fractured, 0.8), 1)

    def worth(threshold):
        called = scores >= threshold
        return called[fractured].mean() + (~called[~fractured]).mean()

    chosen = baselines.best_threshold(scores, fractured)
    assert worth(chosen) == pytest.approx(max(worth(t) for t in np.arange(-4, 5, 0.05)))


def test_a_thumbnail_averages_blocks_of_the_windowed_crop():
    crop = np.full((1, 112, 112), -500.0, np.float32)
    crop[0, :8, :4] = 1300.0
    crop[0, :8, 8:16] = 5000.0
    found = baselines.thumbnails(crop)
    assert found.shape == (1, 14 * 14)
    assert found[0, :3].tolist() == pytest.approx([0.5, 1.0, 0.0])

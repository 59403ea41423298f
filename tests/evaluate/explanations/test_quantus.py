"""Our measures beside those of Quantus, where it is installed.

Quantus is under the (L)GPL and brings OpenCV, so it is no dependency, not even for
development. To run these: ``pip install -c constraints.txt quantus==0.6.0``.
"""

import numpy as np
import pytest

from spinexplain.evaluate.explanations.faithfulness import deleted, step_masks
from spinexplain.evaluate.explanations.localization import (
    energy_inside,
    matched_iou,
    pointing_game,
    top_share,
)

quantus = pytest.importorskip("quantus", reason="Quantus 0.6.0 is not installed")

PLAIN = {"abs": False, "normalise": False, "disable_warnings": True, "display_progressbar": False}


@pytest.fixture(scope="module")
def drawn():
    """Maps with positive values and no two alike, and masks."""
    rng = np.random.default_rng(0)
    maps = rng.permutation(6 * 14 * 14).reshape(6, 14, 14) / 100 + 0.01
    masks = np.zeros((6, 14, 14), bool)
    for mask in masks:
        top, left = rng.integers(0, 8, 2)
        mask[top : top + 5, left : left + 6] = True
    return maps, masks


def scored(metric, maps, masks):
    n = len(maps)
    return np.array(
        metric(
            model=None,
            x_batch=maps[:, None],
            y_batch=np.zeros(n, int),
            a_batch=maps[:, None],
            s_batch=masks[:, None].astype(int),
        ),
        float,
    )


def test_pointing_game(drawn):
    assert np.array_equal(scored(quantus.PointingGame(**PLAIN), *drawn), pointing_game(*drawn))


@pytest.mark.parametrize("name", ["RelevanceMassAccuracy", "AttributionLocalisation"])
def test_energy_inside(drawn, name):
    options = {"positive_attributions": True} if name == "AttributionLocalisation" else {}
    metric = getattr(quantus, name)(**PLAIN, **options)
    assert np.allclose(scored(metric, *drawn), energy_inside(*drawn), atol=1e-6)


def test_top_share(drawn):
    metric = quantus.TopKIntersection(k=20, **PLAIN)
    assert np.allclose(scored(metric, *drawn), top_share(*drawn, share=20 / 196), atol=1e-6)


def test_matched_iou(drawn):
    rank = scored(quantus.RelevanceRankAccuracy(**PLAIN), *drawn)
    assert np.allclose(rank / (2 - rank), matched_iou(*drawn), atol=1e-6)


def test_pixel_flipping_is_the_deletion_curve(drawn):
    import torch
    from torch import nn

    maps, _ = drawn
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    images = np.random.default_rng(1).normal(size=(6, 1, 14, 14)).astype(np.float32)
    metric = quantus.PixelFlipping(
        features_in_step=14,
        perturb_baseline=0.25,
        return_auc_per_sample=False,
        **PLAIN,
    )
    theirs = np.array(
        metric(
            model=net,
            x_batch=images,
            y_batch=np.zeros(6, int),
            a_batch=maps[:, None].astype(np.float32),
            channel_first=True,
            softmax=False,
        )
    )
    # A number: Quantus takes its "mean" anew from the image as changed so far.
    for row in range(6):
        masks = step_masks(maps[row], np.arange(1, 15) / 14)
        reference = np.full((14, 14), 0.25, np.float32)
        shown = deleted(images[row, 0], reference, masks)[:, None].astype(np.float32)
        with torch.no_grad():
            ours = net(torch.from_numpy(shown))[:, 0].numpy()
        assert np.abs(theirs[row] - ours).max() < 1e-5

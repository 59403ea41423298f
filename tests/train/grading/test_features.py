import csv

import numpy as np
import pytest
import torch

from spinexplain.config.training import AugmentSettings
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.train.grading import features
from spinexplain.train.grading.features import (
    cache_bytes,
    cached_where_possible,
    changes_nothing,
    with_features,
)
from spinexplain.train.grading.recipes import train_model

STILL = dict.fromkeys(AugmentSettings.model_fields, 0.0)


def test_features_are_what_the_trunk_gives(toy_set, toy_config):
    config, data = toy_config(), toy_set(n=6)
    trunk = build_trunk(config.trunk, config.input)
    kept = with_features(trunk, data, config.input)
    assert kept.features.nbytes == cache_bytes(trunk, 6, config.input)
    assert kept.take(np.array([3])).features.shape == (1, *kept.features.shape[1:])
    with cached_where_possible(trunk, data, toy_config(augment=STILL)) as cached:
        x = torch.from_numpy(cached.features)
        assert torch.equal(trunk(x), x)
    assert trunk(torch.zeros(1, 3, 32, 32)).shape == (1, *kept.features.shape[1:])


def test_augmentation_or_little_memory_forbid_the_cache(toy_set, toy_config, monkeypatch):
    data = toy_set(n=6)
    trunk = build_trunk(toy_config().trunk, toy_config().input)
    with cached_where_possible(trunk, data, toy_config()) as used:
        assert used is data
    monkeypatch.setattr(features, "LARGEST_CACHE_BYTES", 10)
    with cached_where_possible(trunk, data, toy_config(augment=STILL)) as used:
        assert used is data
    assert changes_nothing(AugmentSettings(**STILL))


@pytest.mark.parametrize("outside", [0.0, 1.0])
def test_cached_features_change_no_training(outside, toy_set, toy_config, tmp_path, monkeypatch):
    """The warm head is the same with and without the cache, up to rounding."""
    config = toy_config(
        augment=STILL,
        head={"initial_prototypes": "uniform"},  # at distance 0 the logarithm enlarges rounding
        loss={"lambda_outside": outside},
        classifier={"steps": 2},
        joint={"steps": 0},
    )
    data = toy_set(n=24)
    calls = []
    monkeypatch.setattr(
        features, "with_features", lambda *rest: calls.append(1) or with_features(*rest)
    )
    train_model(config, data, tmp_path / "fast")
    monkeypatch.setattr(features, "LARGEST_CACHE_BYTES", 0)
    train_model(config, data, tmp_path / "slow")
    assert len(calls) == 1
    fast, slow = (losses(tmp_path / name / "log.csv") for name in ("fast", "slow"))
    assert len(fast) == 4
    np.testing.assert_allclose(fast, slow, rtol=1e-3)


def losses(path):
    rows = csv.DictReader(path.open())
    return [float(r["value"]) for r in rows if (r["phase"], r["term"]) == ("warm", "total")]

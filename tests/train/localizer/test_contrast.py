import numpy as np
import pytest
import torch

from spinexplain.train.localizer.contrast import changed_contrast


@pytest.fixture
def block():
    hu = np.full((8, 16, 16), 40.0, np.float32)
    hu[2:6, 4:12, 4:12] = 400.0
    return torch.from_numpy(hu)


def test_the_same_seed_changes_alike_and_another_otherwise(block):
    first, again, other = (
        changed_contrast(block, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == block.shape


def test_bone_stays_denser_than_what_is_around_and_the_given_block_as_it_is(block):
    before = block.clone()
    for seed in range(20):
        changed = changed_contrast(block, np.random.default_rng(seed))
        assert changed[3:5, 6:10, 6:10].mean() > changed[:, :3].mean() + 50
        assert torch.isfinite(changed).all()
    assert torch.equal(block, before)

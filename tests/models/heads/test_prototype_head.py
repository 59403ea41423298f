import numpy as np
import pytest
import torch

from spinexplain.models.heads.prototype_head import head_from_arrays, max_similarity


@pytest.mark.parametrize("similarity", ["log", "cosine"])
def test_a_head_from_arrays_is_the_networks_own(tiny, similarity):
    model, _ = tiny(similarity=similarity, log_epsilon=1e-3)
    own = model.described_head()
    assert own.max_similarity == pytest.approx(float(model.similarity_of(torch.zeros(()))))
    from spinexplain.config.training import HeadSettings

    settings = HeadSettings(similarity=similarity, log_epsilon=1e-3)
    made = head_from_arrays(own.connections, own.owner, own.field, settings)
    assert made.max_similarity == own.max_similarity
    np.testing.assert_array_equal(made.connections, model.last_layer.weight.detach().numpy())
    np.testing.assert_array_equal(made.owner, [0, 0, 1, 1, 2, 2])
    assert made.field == model.trunk.field


def test_a_cell_equal_to_a_prototype_by_hand():
    assert max_similarity("cosine", 0.5) == 1
    assert max_similarity("log", 0.01) == pytest.approx(np.log(100), rel=1e-6)

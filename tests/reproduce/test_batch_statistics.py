import numpy as np
import pytest
import torch
from torch import nn

from spinexplain.reproduce.batch_statistics import both_ways, compared


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv3d(1, 4, 3), nn.BatchNorm3d(4), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(),
        nn.Linear(4, 2),
    ).eval()  # fmt: skip


def test_scores_depend_on_the_batch_by_its_statistics_alone(model):
    x = torch.rand(20, 1, 6, 6, 6) * torch.linspace(0.2, 4, 20).view(-1, 1, 1, 1, 1)
    found = compared(model, x)
    assert found["vertebrae"] == 20
    assert found["largest_change_running"] < 1e-6
    assert found["largest_change"] > 0.01
    assert isinstance(model[1], nn.BatchNorm3d)
    assert type(model[1]) is nn.BatchNorm3d


def test_scores_are_those_of_the_second_class(model):
    x = torch.rand(3, 1, 6, 6, 6)
    one, other = both_ways(model, x)
    expected = torch.softmax(model(x), dim=1)[:, 1].detach().numpy()
    np.testing.assert_allclose(one, expected, atol=1e-6)
    np.testing.assert_allclose(other, expected, atol=1e-6)

import numpy as np
import torch

from spinexplain.reproduce.shipped_localizer import as_function, as_networks, true_names


def test_a_found_center_has_the_name_of_the_body_it_lies_in():
    truth = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, -30.0], [0.0, 0.0, -60.0]])
    found = np.array([[0.0, 2.0, -31.0], [0.0, 0.0, -58.0], [0.0, 0.0, -120.0]])
    assert true_names(found, truth, ("L1", "L2", "L3")) == ("L2", "L3", None)


def test_a_network_becomes_a_function_on_arrays():
    layer = torch.nn.Conv3d(1, 1, 1, bias=False)
    torch.nn.init.constant_(layer.weight, 2.0)
    x = np.full((1, 1, 2, 2, 2), 0.5, np.float32)
    answer = as_function(layer.eval())(x)
    assert answer.dtype == np.float32
    assert float(answer.max()) == 1.0
    assert as_networks(layer, layer).levels(x).shape == x.shape

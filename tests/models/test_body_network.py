import pytest
import torch

from spinexplain.models.body_network import BODY_STRIDE, OTHERS, OWN, BodyNetwork


@pytest.fixture
def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return BodyNetwork((4, 4, 8, 8)).eval()


@torch.inference_mode()
def test_an_answer_for_every_sample_of_own_and_other_bodies(network):
    answer = network(torch.zeros(2, 1, BODY_STRIDE, 2 * BODY_STRIDE, 16))
    assert answer.shape == (2, 2, 8, 16, 16)
    assert {OWN, OTHERS} == {0, 1}


@torch.inference_mode()
def test_an_answer_does_not_hang_on_what_else_is_in_the_batch(network):
    rng = torch.Generator().manual_seed(1)
    x = torch.randn(3, 1, 8, 16, 16, generator=rng)
    assert torch.allclose(network(x)[1], network(x[1:2])[0], atol=1e-5)


@torch.inference_mode()
def test_a_change_far_off_is_seen_and_one_at_the_sample_itself_more(network):
    x = torch.zeros(1, 1, 8, 16, 16)
    base = network(x)[0, OWN, 4, 8, 8]
    near, far = x.clone(), x.clone()
    near[0, 0, 4, 8, 8] = 3.0
    far[0, 0, 0, 0, 0] = 3.0
    moved = [float((network(y)[0, OWN, 4, 8, 8] - base).abs()) for y in (near, far)]
    assert moved[0] > moved[1]


def test_the_shipped_size_is_small():
    assert sum(one.numel() for one in BodyNetwork().parameters()) < 1_000_000

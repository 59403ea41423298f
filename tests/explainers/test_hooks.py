import threading

import pytest
import torch
from torch import nn

from spinexplain.errors import ModelError
from spinexplain.explainers.hooks import capture, find_layer, layer_names


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(inplace=True), nn.Conv2d(3, 2, 3))
        self.head = nn.Linear(2, 2)

    def forward(self, x):
        return self.head(self.trunk(x).mean(dim=(2, 3)))


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 1)
        self.unused = nn.Conv2d(1, 1, 1)
        self.pair = Pair()

    def forward(self, x):
        return self.layer(self.layer(x)) + self.pair(x)[0]


class Pair(nn.Module):
    def forward(self, x):
        return x, x


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net().eval()


@pytest.fixture
def x():
    return torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def hooks_of(model):
    return sum(len(m._forward_hooks) + len(m._backward_hooks) for m in model.modules())


def test_activation_is_the_layers_output_even_if_the_next_layer_writes_into_it(net, x):
    with capture(net, "trunk.0") as seen:
        net(x)
    assert torch.equal(seen.activation, net.trunk[0](x))
    assert seen.activation.min() < 0  # the in-place rectification came after


@pytest.mark.parametrize("layer", ["trunk.0", "trunk.1", "trunk"])
def test_gradient_is_that_of_the_rest_of_the_network(net, x, layer):
    with capture(net, layer, gradients=True) as seen:
        logit = net(x)[:, 1].sum()
    start = {"trunk.0": 1, "trunk.1": 2, "trunk": 3}[layer]
    variable = net.trunk[:start](x).detach().requires_grad_()
    rest = nn.Sequential(*[nn.ReLU() if isinstance(m, nn.ReLU) else m for m in net.trunk[start:]])
    expected = torch.autograd.grad(net.head(rest(variable).mean(dim=(2, 3)))[:, 1].sum(), variable)
    torch.testing.assert_close(seen.gradient(logit), expected[0])


@pytest.mark.parametrize("gradients", [False, True])
def test_watching_does_not_change_the_logits(net, x, gradients):
    plain = net(x)
    with capture(net, "trunk.2", gradients=gradients):
        watched = net(x)
    assert torch.equal(plain, watched)


def test_frozen_networks_have_gradients_at_the_layer_and_nowhere_else(net, x):
    net.requires_grad_(False)
    with capture(net, "trunk", gradients=True) as seen:
        logit = net(x)[:, 0].sum()
    assert seen.gradient(logit).abs().sum() > 0
    assert all(p.grad is None for p in net.parameters())


def test_a_scalar_that_does_not_depend_on_the_layer_has_gradient_zero(net, x):
    with capture(net, "trunk", gradients=True) as seen:
        net(x)
    assert torch.equal(seen.gradient(torch.tensor(3.0)), torch.zeros_like(seen.activation))
    unrelated = net.head.bias.sum()
    assert torch.equal(seen.gradient(unrelated), torch.zeros_like(seen.activation))


@pytest.mark.parametrize("gradients", [False, True])
def test_no_hook_stays_behind(net, x, gradients):
    assert hooks_of(net) == 0
    with capture(net, "trunk", gradients=gradients):
        assert hooks_of(net) == 1
        net(x)
    assert hooks_of(net) == 0


def test_no_hook_stays_behind_after_an_exception(net):
    with pytest.raises(RuntimeError, match="size"), capture(net, "trunk"):
        net(torch.zeros(1, 2, 8, 8).view(1, 1, 2, 64)[:, :, :1])
    with pytest.raises(KeyError), capture(net, "trunk"):
        raise KeyError("mine")
    assert hooks_of(net) == 0


def test_nothing_is_registered_for_an_unknown_layer(net):
    with pytest.raises(ModelError), capture(net, "no such layer"):
        pytest.fail("entered")
    assert hooks_of(net) == 0


def test_an_unknown_layer_is_answered_with_the_real_ones(net):
    with pytest.raises(ModelError) as refused:
        find_layer(net, "trunk.3")
    message = str(refused.value)
    assert 'no layer "trunk.3"' in message
    assert "trunk, trunk.0, trunk.1, trunk.2, head" in message
    assert "Did you mean" in message
    with pytest.raises(ModelError) as refused:
        find_layer(net, "zzz")
    assert "Did you mean" not in str(refused.value)


def test_a_deep_network_is_listed_by_its_upper_levels():
    inner = [nn.Sequential(*(nn.ReLU() for _ in range(10))) for _ in range(6)]
    with pytest.raises(ModelError, match="one of 0, 1, 2, 3, 4, 5 and 60 layers inside these"):
        find_layer(nn.Sequential(*inner), "layer")


def test_names_come_in_the_order_of_building(net):
    assert layer_names(net) == ["trunk", "trunk.0", "trunk.1", "trunk.2", "head"]


def test_layers_that_run_twice_or_never_or_give_no_tensor_are_refused():
    model, x = Twice(), torch.zeros(1, 1, 2, 2)
    with capture(model, "layer") as seen:
        model(x)
    with pytest.raises(ModelError, match='"layer" ran 2 times'):
        _ = seen.activation
    with capture(model, "unused") as seen:
        model(x)
    with pytest.raises(ModelError, match='"unused" does not run by itself'):
        _ = seen.activation
    with pytest.raises(ModelError, match='"pair" gives a tuple'), capture(model, "pair"):
        model(x)
    assert hooks_of(model) == 0


def test_another_thread_goes_by_unobserved(net, x):
    with capture(net, "trunk") as seen:
        other = threading.Thread(target=net, args=(x + 1,))
        other.start()
        other.join()
        net(x)
    assert torch.equal(seen.activation, net.trunk(x))

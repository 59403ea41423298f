import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.special import softmax

from spinexplain.config.training import LastLayerSettings
from spinexplain.models.heads.ordinal import soft_cross_entropy
from spinexplain.train.grading.last_layer import (
    descend_last_layer,
    fit_last_layer,
    weighted_cross_entropy,
)

OWNER = np.array([0, 0, 1, 1, 2, 2])
WEIGHTS = np.array([0.5, 1.0, 1.5])
START = np.where(OWNER[None] == np.arange(3)[:, None], 1.0, -0.5)


def case(seed=0, n=120):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    similarities = rng.uniform(0, 2, (n, 6)) + 0.5 * (OWNER[None] == labels[:, None])
    return similarities, labels


def fit(similarities, labels, start=START, **settings):
    chosen = LastLayerSettings(**settings)
    return fit_last_layer(similarities, labels, OWNER, WEIGHTS, start, chosen)


def test_cross_entropy_and_slope_equal_torch():
    similarities, labels = case()
    connections = torch.from_numpy(START.copy()).requires_grad_()
    loss = F.cross_entropy(
        torch.from_numpy(similarities) @ connections.T,
        torch.from_numpy(labels),
        weight=torch.from_numpy(WEIGHTS),
    )
    loss.backward()
    value, slope = weighted_cross_entropy(START, similarities, labels, WEIGHTS)
    assert value == pytest.approx(float(loss.detach()))
    np.testing.assert_allclose(slope, connections.grad.numpy(), atol=1e-12)


def test_signs_hold_and_the_optimum_can_not_be_improved_by_a_step():
    similarities, labels = case()
    fitted = fit(similarities, labels, lambda_l1=1e-3, lambda_l2=0)
    own = OWNER[None] == np.arange(3)[:, None]
    assert np.all(fitted[own] >= 0)
    assert np.all(fitted[~own] <= 0)

    def loss(connections):
        value, _ = weighted_cross_entropy(connections, similarities, labels, WEIGHTS)
        return value + 1e-3 * np.abs(connections[~own]).sum()

    best = loss(fitted)
    for k, p in np.ndindex(3, 6):
        for step in (1e-3, -1e-3):
            moved = fitted.copy()
            moved[k, p] += step
            if (moved[k, p] >= 0) == own[k, p] or moved[k, p] == 0:
                assert loss(moved) >= best - 1e-9


def test_any_start_leads_to_the_same_optimum():
    similarities, labels = case()
    near, far = (fit(similarities, labels, start=START * factor) for factor in (1, 7))
    np.testing.assert_allclose(near, far, atol=1e-3)


def test_reaches_what_long_gradient_descent_reaches():
    """Twenty epochs of Adam, repeated until they stop moving, find no lower loss."""
    similarities, labels = case()
    fitted = fit(similarities, labels, lambda_l2=0, constrained=False)
    weight = torch.tensor(START, requires_grad=True)
    other = torch.from_numpy(OWNER[None] != np.arange(3)[:, None])
    x, y, w = (torch.from_numpy(a) for a in (similarities, labels, WEIGHTS))
    optimizer = torch.optim.Adam([weight], lr=0.05)
    for _ in range(1500):
        optimizer.zero_grad()
        loss = F.cross_entropy(x @ weight.T, y, weight=w) + 1e-4 * weight[other].abs().sum()
        loss.backward()
        optimizer.step()
    value, _ = weighted_cross_entropy(fitted, similarities, labels, WEIGHTS)
    value += 1e-4 * np.abs(fitted[other.numpy()]).sum()
    assert value <= float(loss.detach()) + 1e-5


@pytest.mark.parametrize("constrained", [True, False])
def test_l1_silences_off_class_connections_altogether(constrained):
    similarities, labels = case()
    other = OWNER[None] != np.arange(3)[:, None]
    loose, tight = (
        np.abs(fit(similarities, labels, lambda_l1=l1, constrained=constrained)[other]).sum()
        for l1 in (1e-5, 1.0)
    )
    assert tight == 0 < loose


def test_ridge_bounds_connections_on_separable_similarities():
    similarities, labels = case()
    apart = similarities + 9.0 * (OWNER[None] == labels[:, None])
    weak, strong = (np.abs(fit(apart, labels, lambda_l2=l2)).max() for l2 in (1e-6, 1e-2))
    assert strong < weak
    assert strong < 2


def test_descent_takes_the_steps_of_torch_adam():
    similarities, labels = case(n=30)
    settings = LastLayerSettings(solver="adam", steps=25, batch=30, lr=1e-2, lambda_l1=1e-2)
    found = descend_last_layer(similarities, labels, OWNER, WEIGHTS, START, settings)
    connections = torch.from_numpy(START.copy()).requires_grad_()
    other = torch.from_numpy(OWNER[None] != np.arange(3)[:, None])
    adam = torch.optim.Adam([connections], lr=1e-2)
    for _ in range(25):
        adam.zero_grad()
        logits = torch.from_numpy(similarities) @ connections.T
        weight = torch.from_numpy(WEIGHTS)
        loss = F.cross_entropy(logits, torch.from_numpy(labels), weight=weight)
        (loss + 1e-2 * connections[other].abs().sum()).backward()
        adam.step()
    np.testing.assert_allclose(found, connections.detach().numpy(), atol=1e-10)


def test_descent_reaches_the_convex_optimum_and_twenty_epochs_stop_short_of_it():
    """The same problem, solved at once or by small steps; what differs is where they stop."""
    similarities, labels = case(n=400)
    problem = {"lambda_l1": 1e-2, "lambda_l2": 0.0, "constrained": False}
    optimum = fit(similarities, labels, **problem)
    off = OWNER[None] != np.arange(3)[:, None]

    def loss(connections):
        value, _ = weighted_cross_entropy(connections, similarities, labels, WEIGHTS)
        return value + 1e-2 * np.abs(connections[off]).sum()

    def descended(**changes):
        settings = LastLayerSettings(solver="adam", batch=400, lambda_l1=1e-2, **changes)
        return descend_last_layer(similarities, labels, OWNER, WEIGHTS, START, settings)

    def probabilities(connections):
        return softmax(similarities @ connections.T, axis=1)

    far = descended(steps=2500, lr=1e-2)
    assert loss(far) == pytest.approx(loss(optimum), abs=1e-3)
    assert np.abs(probabilities(far) - probabilities(optimum)).max() < 0.01
    short = descended(steps=20 * 5, lr=1e-4)
    assert loss(short) > loss(far) + 0.01
    assert np.abs(short - START).max() < 0.02


def test_shares_of_raters_equal_torch_and_a_slow_sum():
    similarities, _ = case(n=40)
    shares = np.random.default_rng(1).dirichlet(np.ones(3), 40)
    connections = torch.from_numpy(START.copy()).requires_grad_()
    logits = torch.from_numpy(similarities) @ connections.T
    loss = soft_cross_entropy(logits, torch.from_numpy(shares), torch.from_numpy(WEIGHTS))
    loss.backward()
    value, slope = weighted_cross_entropy(START, similarities, shares, WEIGHTS)
    slow = total = 0.0
    for row in range(40):
        log_p = np.log(softmax(START @ similarities[row]))
        for k in range(3):
            slow -= WEIGHTS[k] * shares[row, k] * log_p[k]
            total += WEIGHTS[k] * shares[row, k]
    assert value == pytest.approx(slow / total) == pytest.approx(float(loss.detach()))
    np.testing.assert_allclose(slope, connections.grad.numpy(), atol=1e-12)


@pytest.mark.parametrize("solve", [fit_last_layer, descend_last_layer])
def test_raters_who_agree_change_nothing(solve):
    similarities, labels = case()
    settings = LastLayerSettings(steps=20)
    hard, soft = (
        solve(similarities, wanted, OWNER, WEIGHTS, START, settings)
        for wanted in (labels, np.eye(3)[labels])
    )
    np.testing.assert_allclose(hard, soft, atol=1e-3)


def test_tied_prototypes_share_one_connection_and_the_best_one():
    """Against a scan of the one number each class has, the off-class connections held at 0."""
    similarities, labels = case()
    strong = {"lambda_l1": 100.0, "lambda_l2": 1e-2}
    fitted = fit(similarities, labels, tied=True, **strong)
    own = OWNER[None] == np.arange(3)[:, None]
    for row, mine in zip(fitted, own, strict=True):
        assert np.ptp(row[mine]) == 0
    assert np.allclose(fitted[~own], 0)

    def loss(numbers):
        connections = own * np.asarray(numbers)[:, None]
        value, _ = weighted_cross_entropy(connections, similarities, labels, WEIGHTS)
        return value + 0.5e-2 * np.sum(connections**2)

    best = [row[mine][0] for row, mine in zip(fitted, own, strict=True)]
    for k, step in np.ndindex(3, 2):
        nearby = list(best)
        nearby[k] += (1e-3, -1e-3)[step]
        assert loss(nearby) >= loss(best)


def test_tying_costs_nothing_where_prototypes_are_alike():
    similarities, labels = case()
    similarities[:, 1::2] = similarities[:, ::2]
    settings = {"lambda_l1": 0.0, "lambda_l2": 1e-3}
    np.testing.assert_allclose(
        fit(similarities, labels, tied=True, **settings),
        fit(similarities, labels, **settings),
        atol=1e-5,
    )


@pytest.mark.parametrize("soft", [False, True])
def test_divided_by_samples_value_and_slope_grow_with_the_weights(soft):
    similarities, labels = case()
    targets = np.eye(3)[labels] if soft else labels
    by_sum = weighted_cross_entropy(START, similarities, targets, WEIGHTS)
    by_count = weighted_cross_entropy(START, similarities, targets, WEIGHTS, "samples")
    factor = WEIGHTS[labels].mean()
    assert by_count[0] == pytest.approx(factor * by_sum[0])
    np.testing.assert_allclose(by_count[1], factor * by_sum[1])


def test_divided_by_samples_larger_weights_outweigh_the_penalty():
    similarities, labels = case()
    settings = LastLayerSettings(lambda_l2=0.1)
    fits = {
        (scale, way): fit_last_layer(
            similarities, labels, OWNER, scale * WEIGHTS, START, settings, normalize=way
        )
        for scale in (1, 5)
        for way in ("weights", "samples")
    }
    np.testing.assert_allclose(fits[1, "weights"], fits[5, "weights"], atol=1e-5)
    assert np.sum(fits[5, "samples"] ** 2) > 1.5 * np.sum(fits[1, "samples"] ** 2)

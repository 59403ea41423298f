import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from spinexplain.config.training import HeadSettings
from spinexplain.errors import ConfigError, ModelError
from spinexplain.models.build import build_model
from spinexplain.models.heads.parts import prototype_owners
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.train.curation.removal import kept_after, without_prototypes
from spinexplain.train.grading.phases import cached_similarities, tune_last_layer


def network(config):
    torch.manual_seed(3)
    trunk = build_trunk(config.trunk, config.input)
    return build_model(trunk, config.head, len(config.classes), config.input).eval()


def test_the_logits_are_the_sum_without_what_was_removed(toy_config):
    config = toy_config()
    model, x = network(config), torch.randn(5, 3, 32, 32)
    cut, changed = without_prototypes(model, config, {1, 4})
    with torch.no_grad():
        s, w = model.similarities(x).numpy(), model.last_layer.weight.numpy()
        found = cut(x).numpy()
    left = [0, 2, 3, 5]
    np.testing.assert_allclose(found, s[:, left] @ w[:, left].T, rtol=1e-5, atol=1e-6)
    assert changed.head.kept == (0, 2, 3, 5)
    assert cut.prototype_class.tolist() == [0, 1, 1, 2]
    again, twice = without_prototypes(cut, changed, {2})
    assert twice.head.kept == (0, 2, 5)
    with torch.no_grad():
        fewer = [0, 2, 5]
        np.testing.assert_allclose(again(x), s[:, fewer] @ w[:, fewer].T, rtol=1e-5, atol=1e-6)


def test_a_network_of_the_changed_settings_takes_the_weights(toy_config):
    """As a bundle does when it is loaded."""
    config = toy_config()
    cut, changed = without_prototypes(network(config), config, {0})
    fresh = network(changed)
    fresh.load_state_dict(cut.state_dict())
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(fresh(x), cut(x))


def test_re_solving_agrees_with_scikit_learn(toy_config, toy_set):
    last = {"lambda_l1": 0.0, "lambda_l2": 1e-2, "constrained": False, "class_weights": "none"}
    config, data = toy_config(last_layer=last), toy_set()
    cut, changed = without_prototypes(network(config), config, {3})
    similarities, labels = cached_similarities(cut, data, changed)
    tune_last_layer(cut, data, changed)
    slow = LogisticRegression(
        C=1 / (len(labels) * 1e-2), fit_intercept=False, tol=1e-10, max_iter=10000
    ).fit(similarities, labels)
    np.testing.assert_allclose(cut.last_layer.weight.detach(), slow.coef_, atol=2e-3)


def test_addressed_prototypes_keep_their_parts(toy_config):
    config = toy_config(head={"addressed": True, "add_on_width": 4})
    model = network(config)
    cut, _ = without_prototypes(model, config, {2, 3})
    assert cut.parts == tuple(p for i, p in enumerate(model.parts) if i not in (2, 3))


def test_a_class_keeps_one(toy_config):
    config = toy_config()
    with pytest.raises(ModelError, match="all prototypes of class G2"):
        without_prototypes(network(config), config, {2, 3})


@pytest.mark.parametrize("kept", [(0, 0, 2, 4), (2, 0, 4), (0, 2, 6), (0, 1, 2), (-1, 2, 4)])
def test_kept_that_cannot_be_is_refused(kept):
    with pytest.raises(ConfigError, match="kept"):
        prototype_owners(HeadSettings(prototypes_per_class=2, kept=kept), 3)


@given(st.sets(st.integers(0, 8)), st.data())
def test_taking_out_twice_is_taking_out_both(first, data):
    head = HeadSettings(prototypes_per_class=3)
    once = kept_after(head, 3, first)
    if not once:
        return
    second = data.draw(st.sets(st.integers(0, len(once) - 1)))
    twice = kept_after(head.model_copy(update={"kept": once}), 3, second)
    gone = first | {once[i] for i in second}
    assert twice == tuple(i for i in range(9) if i not in gone)


def test_the_model_itself_stays(toy_config):
    config = toy_config()
    model = network(config)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    cut, _ = without_prototypes(model, config, {1})
    with torch.no_grad():
        cut.prototypes += 1
        next(cut.trunk.parameters()).add_(1)
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())

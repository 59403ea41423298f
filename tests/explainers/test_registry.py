"""What every explainer owes every model: a new entry of either is tested with no new code."""

from dataclasses import fields

import numpy as np
import pytest
import torch

from spinexplain.config.heads import HEADS
from spinexplain.errors import ModelError
from spinexplain.explainers.activations import layer_activations
from spinexplain.explainers.dissection.explain import DissectionExplainer
from spinexplain.explainers.dissection.grid import cell_grid
from spinexplain.explainers.dissection.overlap import Overlap
from spinexplain.explainers.dissection.record import Dissection
from spinexplain.explainers.dissection.statistics import UnitStatistics
from spinexplain.explainers.registry import EXPLAINERS

METHODS = sorted([*EXPLAINERS, "dissection"])
ALL_PAIRS = [(kind, method) for kind in sorted(HEADS) for method in METHODS]
REFUSED = [
    pair for pair in ALL_PAIRS if pair[1] == "prototypes" and not HEADS[pair[0]].has_prototypes
]
PAIRS = [pair for pair in ALL_PAIRS if pair not in REFUSED]
AXES = {kind: head.axes for kind, head in HEADS.items()}
CASES = [(*pair, axes) for pair in PAIRS for axes in AXES[pair[0]]]


def _explainer(method, grader, patch):
    """Return an explainer; the dissection that one of them needs is made up."""
    if method != "dissection":
        return EXPLAINERS[method]
    maps = layer_activations(grader, [patch], "trunk")[0]
    units, side = len(maps), patch.array.shape[0]
    ones, ranks = np.ones(units), np.arange(units) + 1
    statistics = {f.name: ones for f in fields(UnitStatistics)} | {"contrast": 2.5 - ranks}
    made = Dissection(
        model=grader.info,
        layer="trunk",
        quantile=0.9,
        grid=cell_grid(maps.shape[1:], side, grader.spec.size),
        thresholds=np.quantile(maps.reshape(units, -1), 0.9, axis=1).astype(np.float32),
        mass=0.1 * ones,
        statistics=UnitStatistics(**statistics | {"rank": ranks}),
        clusters=ranks,
        overlap=Overlap((), *np.zeros((3, units, 0))),
        means=maps.reshape(units, -1).mean(axis=1),
        effects=np.full(units, np.nan),
        facts={},
    )
    return DissectionExplainer(made)


def hooks_of(model):
    return sum(
        len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks)
        for m in model.modules()
    )


@pytest.mark.parametrize(("kind", "method", "axes"), CASES)
def test_explanations_keep_the_contract(tiny_grader, random_patch, kind, method, axes):
    grader, patch = tiny_grader(axes, kind), random_patch(axes)
    for target in grader.classes:
        explanation = _explainer(method, grader, patch)(grader, patch, target)
        assert explanation.patch is patch
        assert (explanation.target, explanation.method) == (target, method)
        assert explanation.score_name
        assert explanation.evidence
        for item in explanation.evidence:
            assert item.heatmap.shape == patch.array.shape
            assert item.heatmap.dtype == np.float32
            assert np.isfinite(item.heatmap).all()
            assert item.heatmap.min() >= 0
            assert np.isfinite(item.score)
            assert np.isfinite(list(item.terms.values())).all()
            assert item.class_name in grader.classes


@pytest.mark.parametrize(("kind", "method", "axes"), CASES)
def test_explaining_twice_gives_the_same_bits(tiny_grader, random_patch, kind, method, axes):
    grader, patch = tiny_grader(axes, kind), random_patch(axes)
    first, second = (
        _explainer(method, grader, patch)(grader, patch, grader.classes[1]) for _ in range(2)
    )
    for a, b in zip(first.evidence, second.evidence, strict=True):
        assert (a.name, a.score, dict(a.terms)) == (b.name, b.score, dict(b.terms))
        np.testing.assert_array_equal(a.heatmap, b.heatmap)


@pytest.mark.parametrize(("kind", "method"), PAIRS)
def test_the_model_is_as_it_was(tiny_grader, random_patch, kind, method):
    grader, patch = tiny_grader(2, kind), random_patch(AXES[kind][0])
    before = {key: value.clone() for key, value in grader.model.state_dict().items()}
    logits = grader.logits([patch])
    _explainer(method, grader, patch)(grader, patch, grader.classes[1])
    assert all(torch.equal(v, before[k]) for k, v in grader.model.state_dict().items())
    assert all(p.grad is None for p in grader.model.parameters())
    assert not grader.model.training
    assert hooks_of(grader.model) == 0
    np.testing.assert_array_equal(grader.logits([patch]), logits)


@pytest.mark.parametrize(("kind", "method"), PAIRS)
def test_no_hook_stays_behind_after_an_exception(
    tiny_grader, random_patch, monkeypatch, kind, method
):
    grader, patch = tiny_grader(2, kind), random_patch(AXES[kind][0])

    def fail(_x):
        raise RuntimeError("out of memory")

    last = {"prototype": "add_on", "detector": "head"}.get(kind, "last_layer")
    monkeypatch.setattr(getattr(grader.model, last), "forward", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        _explainer(method, grader, patch)(grader, patch, grader.classes[1])
    assert hooks_of(grader.model) == 0


@pytest.mark.parametrize(("kind", "method"), PAIRS)
def test_classes_the_model_does_not_know_are_refused(tiny_grader, random_patch, kind, method):
    axes = AXES[kind][0]
    grader, patch = tiny_grader(axes, kind), random_patch(axes)
    explainer = _explainer(method, grader, patch)
    with pytest.raises(ModelError, match=r'no class "G1"; expected one of (G0, G2|no fracture)'):
        explainer(grader, patch, "G1")


@pytest.mark.parametrize(("kind", "method"), REFUSED)
def test_prototypes_of_a_model_without_any_are_refused(tiny_grader, random_patch, kind, method):
    with pytest.raises(ModelError, match="has no prototypes"):
        EXPLAINERS[method](tiny_grader(2, kind), random_patch(AXES[kind][0]), "G2")


@pytest.mark.parametrize(("kind", "method"), PAIRS)
def test_an_empty_patch_is_explained_without_nan(tiny_grader, random_patch, kind, method):
    """Air everywhere: the classic of all-zero maps."""
    grader, patch = tiny_grader(2, kind), random_patch(AXES[kind][0])
    patch.array[:] = -1000
    with torch.no_grad():
        for parameter in grader.model.trunk.parameters():
            parameter.zero_()  # nothing fires at all
    for item in _explainer(method, grader, patch)(grader, patch, grader.classes[-1]).evidence:
        assert np.isfinite(item.heatmap).all()
        assert np.isfinite(item.score)

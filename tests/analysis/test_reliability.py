import numpy as np
import pytest
import torch

from spinexplain.analysis.reliability import (
    evidence_places,
    measure_reliability,
    paired_difference,
    strongest_maps,
    top_share,
    with_centroid_error,
)
from spinexplain.train.grading.recipes import train_model
from spinexplain.train.grading.run import Trained


@pytest.fixture
def trained(toy_set, toy_config, tmp_path):
    config = toy_config(head={"kind": "linear"}, classifier={"steps": 60})
    data = toy_set(n=90)
    data = type(data)(**{**vars(data), "evidence": data.target})
    return train_model(config, data, tmp_path / "run"), data


def test_centroids_move_by_exactly_the_error(toy_set):
    data = toy_set()
    moved = with_centroid_error(data, 5.0, seed=0)
    np.testing.assert_allclose(np.linalg.norm(moved.centers - data.centers, axis=1), 5.0)
    assert np.ptp(moved.centers, axis=0).min() > 5


def test_top_share_marks_two_percent_and_breaks_ties():
    heat = np.zeros((10, 10))
    heat[4, 5] = heat[4, 6] = 1.0
    assert np.argwhere(top_share(heat)).tolist() == [[4, 5], [4, 6]]
    assert top_share(np.ones((10, 10))).sum() == 2


def test_figures_of_a_model_that_learnt_the_toy_task(trained):
    model, data = trained
    figures = measure_reliability(model, data)
    assert figures.f1 > 0.8
    assert figures.specificity > 0.8
    assert figures.found_G3 > 0.8
    assert 0 <= figures.f1_moved <= figures.f1 + 0.1
    for value in vars(figures).values():
        assert 0 <= value <= 1


def test_a_gaussian_in_the_middle_misses_a_target_that_moved(trained):
    model, data = trained
    labels = np.searchsorted([0, 2, 3], data.grades)
    places = evidence_places(model, data, labels)
    assert places.shape == (90, 4)
    # toy crops have 6 mm of margin, so a shift of up to 20 mm often leaves the square
    assert 0.05 < places[:, 2].mean() < 0.95


def test_an_oracle_that_lights_up_the_body_scores_one(trained, monkeypatch):
    model, data = trained
    monkeypatch.setattr(
        "spinexplain.analysis.reliability.strongest_maps",
        lambda m, x, labels: bump_cells(x, m.trunk.field),
    )
    labels = np.searchsorted([0, 2, 3], data.grades)
    assert evidence_places(model, data, labels)[:, 0].mean() > 0.9


def bump_cells(x, field):
    """The Gaussian channel, read at the centres of the grid's cells."""
    index = (field.start + field.stride * torch.arange(8)).long()
    return x[:, 2][:, index][:, :, index] + 1


def test_strongest_map_is_of_the_class_and_contributes_most(toy_set, toy_config, tmp_path):
    trained = train_model(toy_config(), toy_set(), tmp_path / "run")
    model = trained.model
    x, labels = torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 2, 1])
    with torch.no_grad():
        maps, best = model.similarity_maps(x), strongest_maps(model, x, labels)
    weight = model.last_layer.weight.detach()
    for n, label in enumerate(labels.tolist()):
        own = [2 * label, 2 * label + 1]
        scores = [float(weight[label, p] * maps[n, p].max()) for p in own]
        assert torch.equal(best[n], maps[n, own[int(np.argmax(scores))]])


def test_without_masks_the_places_are_unknown(trained):
    model, data = trained
    blind = Trained(model.model, model.config, model.data, [], {})
    bare = type(data)(**{**vars(data), "evidence": None})
    labels = np.searchsorted([0, 2, 3], bare.grades)
    assert np.isnan(evidence_places(blind, bare, labels)).all()


def test_other_maps_can_be_measured_in_place_of_the_strongest(trained):
    model, data = trained
    labels = np.searchsorted([0, 2, 3], data.grades)
    flat = evidence_places(model, data, labels, lambda net, x, classes: x[:, 0, ::4, ::4] * 0)
    first = top_share(np.zeros(data.patches_hu.shape[1:]))
    assert first[0, 0]
    assert flat[:, 0].mean() < evidence_places(model, data, labels)[:, 0].mean()
    assert np.array_equal(flat[:, 2:], evidence_places(model, data, labels)[:, 2:])


def test_paired_interval_covers_the_true_difference_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for seed in range(200):
        sheet = rng.normal(0, 5, 60)  # what both share does not widen the interval
        _, low, high = paired_difference(sheet + rng.normal(0.1, 1, 60), sheet, seed, 300)
        hits += low <= 0.1 <= high
        assert high - low < 1
    assert 0.88 < hits / 200 < 0.99

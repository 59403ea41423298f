from dataclasses import replace

import numpy as np
import pytest
import torch

from spinexplain.config.training import ProjectionSettings
from spinexplain.data.crops.dataset import class_labels
from spinexplain.errors import ModelError
from spinexplain.models.build import build_model
from spinexplain.models.trunks.backbones import build_trunk, bypassing
from spinexplain.train.grading.features import with_features
from spinexplain.train.grading.plain_inputs import inputs_in_batches
from spinexplain.train.grading.projection import project


@pytest.fixture
def case(toy_set, toy_config):
    config, data = toy_config(), toy_set()
    torch.manual_seed(0)
    trunk = build_trunk(config.trunk, config.input)
    model = build_model(trunk, config.head, 3, config.input).eval()
    return model, data, class_labels(data, config.classes), config.input


def all_latents(model, data, spec):
    with torch.no_grad():
        batches = inputs_in_batches(data, np.arange(len(data)), spec)
        return torch.cat([model.latent(x) for _, x, _ in batches]).numpy()


def test_every_prototype_becomes_the_stored_patch_it_names(case):
    model, data, labels, spec = case
    sources = project(model, data, labels, spec, ProjectionSettings())
    latents = all_latents(model, data, spec)
    for index, source in enumerate(sources):
        stored = latents[(source.row, slice(None), *source.cell)]
        np.testing.assert_allclose(model.prototypes.detach()[index], stored, atol=1e-6)


def test_only_own_class_patches_are_taken(case):
    model, data, labels, spec = case
    sources = project(model, data, labels, spec, ProjectionSettings())
    assert [int(labels[s.row]) for s in sources] == model.prototype_class.tolist()


def test_first_choice_is_the_nearest_patch_of_all(case):
    model, data, labels, spec = case
    before = model.prototypes.detach().numpy().copy()
    latents = all_latents(model, data, spec)
    sources = project(model, data, labels, spec, ProjectionSettings(allow_duplicates=True))
    for index, source in enumerate(sources):
        own = latents[labels == int(model.prototype_class[index])]
        slow = np.sum((np.moveaxis(own, 1, -1) - before[index]) ** 2, axis=-1)
        assert source.distance == pytest.approx(slow.min(), abs=1e-5)


def test_identical_prototypes_are_sent_to_different_patches(case):
    model, data, labels, spec = case
    with torch.no_grad():
        model.prototypes[:] = model.prototypes[:1]
    settings = ProjectionSettings(apart_cells=3, largest_cosine=0.95)
    sources = project(model, data, labels, spec, settings)
    latents = all_latents(model, data, spec)
    for k in range(3):
        first, second = sources[2 * k], sources[2 * k + 1]
        assert (first.row, first.cell) != (second.row, second.cell)
        gap = max(abs(a - b) for a, b in zip(first.cell, second.cell, strict=True))
        assert data.subjects[first.row] != data.subjects[second.row] or gap >= 3
        pool = np.moveaxis(latents[labels == k], 1, -1).reshape(-1, latents.shape[1])
        a, b = (latents[(s.row, slice(None), *s.cell)] - pool.mean(0) for s in (first, second))
        assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) < 0.95


def test_duplicates_are_allowed_when_asked_for(case):
    model, data, labels, spec = case
    with torch.no_grad():
        model.prototypes[:] = model.prototypes[:1]
    sources = project(model, data, labels, spec, ProjectionSettings(allow_duplicates=True))
    assert (sources[0].row, sources[0].cell) == (sources[1].row, sources[1].cell)


def test_running_out_of_different_patches_is_an_error(case):
    model, data, labels, spec = case
    first = {k: np.flatnonzero(labels == k)[:1] for k in range(3)}  # one crop a class
    few = data.take(np.concatenate(list(first.values())))
    settings = ProjectionSettings(apart_cells=99)
    with pytest.raises(ModelError, match="not a duplicate"):
        project(model, few, np.arange(3), spec, settings)


def test_inside_target_takes_cells_of_the_bone_only(case):
    model, data, labels, spec = case
    sources = project(model, data, labels, spec, ProjectionSettings(inside_target=True))
    for source in sources:
        row, column = (int(model.trunk.field.start + 4 * c) for c in source.cell)
        assert 6 <= row <= 25
        assert 6 <= column <= 25


def test_projecting_does_not_touch_the_rest_of_the_model(case):
    model, data, labels, spec = case
    before = {k: v.clone() for k, v in model.state_dict().items()}
    project(model, data, labels, spec, ProjectionSettings())
    changed = {k for k, v in model.state_dict().items() if not torch.equal(v, before[k])}
    assert changed == {"prototypes"}


def test_held_cells_stand_for_the_crops(toy_set, toy_config):
    """With features the mask's shares held beside them say where a prototype may come from."""
    config, data = toy_config(projection={"inside_target": True}), toy_set(12)
    torch.manual_seed(0)
    trunk = build_trunk(config.trunk, config.input).eval()
    model = build_model(trunk, config.head, 3, config.input)
    labels = class_labels(data, config.classes)
    kept = model.state_dict()["prototypes"].clone()
    cut = project(model, data, labels, config.input, config.projection)
    model.prototypes.data.copy_(kept)
    held = with_features(trunk, data, config.input)
    with bypassing(trunk):
        assert project(model, held, labels, config.input, config.projection) == cut
        nowhere = replace(held, inside_cells=np.zeros_like(held.inside_cells))
        with pytest.raises(ModelError, match="own-class patch"):
            project(model, nowhere, labels, config.input, config.projection)

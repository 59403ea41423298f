from dataclasses import replace

import numpy as np
import pytest
import torch

from spinexplain.analysis.atlas.build import NEIGHBORS, measure_atlas
from spinexplain.analysis.atlas.crops import training_data
from spinexplain.data.cohort import Cohort
from spinexplain.errors import ModelError
from spinexplain.models.inputs import network_input
from spinexplain.train.grading.augment import plain_crops
from spinexplain.train.grading.run_folder import open_run


@pytest.fixture(scope="module")
def case(finished_run):
    run = open_run(finished_run[0])
    data = training_data(run, [Cohort.open(finished_run[1])], run.split)
    return run, data, measure_atlas(run, data)


@pytest.fixture(scope="module")
def slow(case):
    """Similarity of every crop to every prototype, one crop at a time, from the definition."""
    run, data, _ = case
    rows = []
    for row in range(len(data.training)):
        crops = plain_crops(data.training, np.array([row]), run.grader.spec)
        x = network_input(crops.hu, crops.centers, run.grader.spec)
        with torch.no_grad():
            latent = run.model.latent(x)[0].flatten(1).double().numpy()
        prototypes = run.model.prototypes.detach().double().numpy()
        square = ((latent[None] - prototypes[:, :, None]) ** 2).sum(axis=1).min(axis=1)
        rows.append(np.log((square + 1) / (square + run.model.epsilon)))
    return np.array(rows)


def test_the_crops_are_those_of_the_training(case, finished_run):
    run, data, _ = case
    named = {(e.provenance.subject, e.provenance.level) for e in run.grader.exemplars}
    assert named <= set(zip(data.training.subjects, data.training.levels, strict=True))
    assert 0.7 * 48 < len(data.training) < 48
    cohort = Cohort.open(finished_run[1])
    for row, origin in enumerate(data.training.origin[:5]):
        stored = cohort.patches_2d[data.places[origin][1]]
        np.testing.assert_array_equal(stored, data.training.patches_hu[row])


def test_winner_shares_as_the_loops_say(case, slow):
    _, data, atlas = case
    labels = np.searchsorted([0, 2, 3], data.training.grades)
    for index, entry in enumerate(atlas.prototypes):
        members = np.flatnonzero(atlas.owner == atlas.owner[index])
        own = slow[labels == atlas.owner[index]]
        # Near distance 0 the fast distances' rounding (1e-6) moves a similarity by hundredths.
        margin = [row[index] - np.delete(row[members], members == index).max() for row in own]
        sure, possible = np.mean(np.array(margin) > 0.05), np.mean(np.array(margin) > -0.05)
        assert sure - 1e-6 <= entry.winner_share <= possible + 1e-6


def test_neighbors_are_the_most_similar_other_crops(case, slow):
    _, _, atlas = case
    for index, entry in enumerate(atlas.prototypes):
        assert len(entry.neighbors) == NEIGHBORS
        found = [patch.similarity for patch in entry.neighbors]
        assert found == sorted(found, reverse=True)
        expected = np.sort(slow[:, index])[::-1][1 : NEIGHBORS + 1]
        np.testing.assert_allclose(found, expected, rtol=1e-3)
        assert all(patch.distance >= 0 for patch in entry.neighbors)


def test_the_source_is_the_prototype(case):
    _, _, atlas = case
    for entry in atlas.prototypes:
        assert entry.source.distance == pytest.approx(0, abs=1e-4)
        assert entry.source.provenance.grade == entry.class_name


def test_distance_travelled_is_that_of_the_vectors(case):
    _, _, atlas = case
    for entry, before, after in zip(atlas.prototypes, atlas.before, atlas.after, strict=True):
        assert entry.travelled == pytest.approx(np.sqrt(np.sum((after - before) ** 2)))
        assert entry.travelled > 0


def test_structures_are_shares_and_the_crop_has_the_bone_that_was_drawn(case):
    _, _, atlas = case
    for entry in atlas.prototypes:
        assert sum(entry.structures.values()) == pytest.approx(1)
    assert atlas.structure_area["body"] == pytest.approx(256 / 32**2, abs=0.01)
    assert atlas.structure_area["posterior elements"] == pytest.approx(36 / 32**2, abs=0.01)


def test_the_logit_is_made_of_what_the_atlas_says(case):
    """Connections are those of the model, class by class."""
    run, _, atlas = case
    weight = run.model.last_layer.weight.detach().numpy()
    for index, entry in enumerate(atlas.prototypes):
        assert list(entry.connections.values()) == pytest.approx(weight[:, index].tolist())


def test_withheld_means_no_pixels_at_all(case):
    run, data, _ = case
    atlas = measure_atlas(run, data, withheld=True)
    patches = [p for e in atlas.prototypes for p in (e.source, *e.neighbors)]
    assert all(patch.array is None for patch in patches)
    assert atlas.withheld


def test_a_bundle_without_pixels_makes_an_atlas_without_pixels(case):
    run, data, _ = case
    bare = tuple(replace(exemplar, array=None) for exemplar in run.grader.exemplars)
    atlas = measure_atlas(replace(run, grader=replace(run.grader, exemplars=bare)), data)
    assert atlas.withheld
    assert all(p.array is None for e in atlas.prototypes for p in (e.source, *e.neighbors))


def test_progress_ends_where_it_should(case, listener):
    run, data, _ = case
    measure_atlas(run, data, progress=listener)
    seen = {name: (done, total) for name, done, total in listener.steps}
    assert seen.keys() == {"crops", "structures"}
    assert all(done == total > 0 for done, total in seen.values())


def test_another_cohort_is_noticed_without_a_fingerprint(finished_run, other_cohort):
    run = replace(open_run(finished_run[0]), fingerprint=None)
    data = training_data(run, [Cohort.open(other_cohort)], "training")
    with pytest.raises(ModelError, match="not the cohort"):
        measure_atlas(run, data)


def test_a_bundle_alone_says_what_it_knows(finished_run):
    atlas = measure_atlas(open_run(finished_run[0] / "bundle"))
    assert atlas.notes == ("no_run", "no_cohort")
    assert len(atlas.prototypes) == 6
    assert atlas.prototypes[0].neighbors == ()
    assert atlas.prototypes[0].winner_share is None
    assert atlas.grid == (8, 8)

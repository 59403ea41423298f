import numpy as np

from spinexplain.explainers.dissection.exemplars import best_samples, strongest_plane
from spinexplain.explainers.dissection.grid import CellGrid


def test_pictures_are_of_the_most_relevant_fractured_vertebrae(known_dissected):
    seen, samples = known_dissected.activity, known_dissected.samples
    best, pictures, sources = best_samples(
        seen, samples, known_dissected.dissection.grid, [(0, 5), (2, 3)]
    )
    assert [item.unit for item in best] == [0] * 5 + [2] * 3
    relevance = seen.relevance()[:, 0]
    order = sorted(relevance[samples.positive], reverse=True)
    assert [item.relevance for item in best[:5]] == order[:5]
    assert all(sources[item.picture].provenance.grade != "G0" for item in best)
    assert len(pictures) == len(sources) == len({item.picture for item in best})
    for item in best[:5]:
        assert item.cells.sum() == np.float32(item.relevance)


def test_a_sample_where_a_unit_is_never_above_is_no_example(known_dissected):
    seen, samples = known_dissected.activity, known_dissected.samples
    best, pictures, _ = best_samples(seen, samples, known_dissected.dissection.grid, [(1, 5)])
    assert best == ()
    assert pictures.shape == (0, 64, 64)


def test_the_plane_shown_is_the_one_that_holds_most():
    cells = np.zeros((3, 3, 3), np.float32)
    cells[1, 2, 2] = 4
    grid = CellGrid((3, 3, 3), 12, 1.5, 4.0)
    plane, shown = strongest_plane(cells, grid)
    assert plane is not None
    assert 9 <= plane <= 11
    assert np.argwhere(shown == shown.max()).tolist() == [[1, 2]]
    assert strongest_plane(cells[0], grid)[0] is None


def test_three_dimensional_pictures_are_sagittal_slices(known_dissected_3d):
    d = known_dissected_3d.dissection
    crops = known_dissected_3d.samples.crops(np.array([1, 2]))
    for item in d.best_of(0):
        plane = d.sources[item.picture].plane
        assert 32 - 14 <= plane < 32 + 14  # inside the bright block
        crop = crops[["G2", "G3"].index(d.sources[item.picture].provenance.grade)]
        np.testing.assert_array_equal(d.pictures[item.picture], crop[..., plane])

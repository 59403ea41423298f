import numpy as np
import pytest

from spinexplain.analysis.explanations.chunk import (
    ChunkSettings,
    explain_chunk,
    read_chunks,
    write_chunk,
)
from spinexplain.analysis.explanations.methods import ScoredMap


def by_brightness(grader, patch, target):
    """A map that is the image, so that a shift of HU leaves its order alone."""
    heatmap = np.asarray(patch.array, np.float32) + 2000
    return ScoredMap(heatmap, heatmap / 2, float(heatmap.mean()))


@pytest.fixture(scope="module")
def chunk(drawn, classifier):
    settings = ChunkSettings(steps=3, seed=0, disturbed=2)
    return explain_chunk(drawn.bench, range(10), classifier, by_brightness, settings)


def test_maps_and_twins_are_those_of_the_method(drawn, chunk):
    bench = drawn.bench
    for row in range(10):
        assert np.allclose(chunk["maps"][row], bench.hu[row] + 2000.0)
        if bench.twin_of[row] >= 0:
            twin = bench.twins[bench.twin_of[row]] + 2000.0
            assert np.allclose(chunk["twin_maps"][row], twin)
            assert chunk["twin_strengths"][row] == pytest.approx(twin.mean(), rel=1e-5)
        else:
            assert np.isnan(chunk["twin_strengths"][row])


def test_logits_targets_and_curves(drawn, classifier, chunk):
    bench = drawn.bench
    logits = classifier.logits([bench.patch(row) for row in range(10)])
    assert np.allclose(chunk["logits"], logits, atol=1e-5)
    for row in range(10):
        if bench.fractured[row]:
            assert classifier.classes[int(chunk["targets"][row])] == bench.grades[row]
            assert np.isfinite(chunk["curves"][row]).all()
        else:
            assert np.isnan(chunk["curves"][row]).all()


def test_disturbed_are_the_first_fractures(drawn, chunk):
    asked = np.isfinite(chunk["shifted"])
    expected = np.flatnonzero(drawn.bench.fractured)[:2]
    assert np.array_equal(np.flatnonzero(asked), expected)
    assert chunk["shifted"][expected] == pytest.approx([1.0, 1.0], abs=1e-6)
    assert (chunk["noisy"][expected] < 1).all()
    assert (chunk["noisy"][expected] > 0.5).all()


def test_stored_chunks_come_back_in_order(tmp_path, chunk):
    first = {name: array[:4] for name, array in chunk.items()}
    second = {name: array[4:] for name, array in chunk.items()}
    write_chunk(tmp_path / "maps-b.npz", first)
    write_chunk(tmp_path / "maps-a.npz", second)
    found = read_chunks(sorted(tmp_path.glob("maps-*.npz")))
    assert found["rows"].tolist() == list(range(10))
    assert np.allclose(found["maps"], chunk["maps"], rtol=2e-3, atol=2)
    for name in ("strengths", "logits", "curves", "targets"):
        assert np.array_equal(found[name], chunk[name], equal_nan=True)

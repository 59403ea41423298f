import numpy as np
import pytest

from spinexplain.analysis.explanations.curves import REFERENCES, deletion_curves, reference_inputs


def test_references_are_inputs_of_the_network(drawn, classifier):
    bench = drawn.bench
    row = int(np.flatnonzero(bench.twin_of >= 0)[0])
    inputs = reference_inputs(classifier, bench.patch(row), bench.patch(row, twin=True))
    assert set(inputs) == {"image", *REFERENCES}
    expected = classifier.inputs([bench.patch(row)]).numpy()[0]
    assert np.allclose(inputs["image"], expected, atol=1e-5)
    assert np.abs(np.diff(inputs["blur"], axis=1)).mean() < np.abs(np.diff(expected, axis=1)).mean()
    assert "twin" not in reference_inputs(classifier, bench.patch(row), None)


def test_the_curve_is_that_of_one_step_at_a_time():
    rng = np.random.default_rng(0)
    image, blur = rng.random((2, 3, 8, 8)).astype(np.float32)
    heatmap = rng.permutation(64).reshape(8, 8).astype(float)
    weights = rng.normal(size=(3, 8, 8))
    curves = deletion_curves(
        lambda batch: (batch * weights).sum(axis=(1, 2, 3)),
        {"image": image, "blur": blur},
        heatmap,
        steps=4,
        seed=0,
    )
    assert np.isnan(curves[REFERENCES.index("twin")]).all()
    order = np.argsort(-heatmap.ravel())
    for step in range(5):
        gone = order[: round((step / 4) ** 2 * 64)]
        shown = image.copy().reshape(3, -1)
        shown[:, gone] = blur.reshape(3, -1)[:, gone]
        expected = (shown.reshape(3, 8, 8) * weights).sum()
        assert curves[REFERENCES.index("blur"), 0, step] == pytest.approx(expected, abs=1e-4)
    deletion, insertion = curves[REFERENCES.index("blur")]
    assert deletion[0] == insertion[-1]
    assert deletion[-1] == insertion[0]


def test_a_map_on_a_coarser_grid_is_spread():
    image, blur = np.ones((1, 8, 8), np.float32), np.zeros((1, 8, 8), np.float32)
    heatmap = np.array([[1.0, 0.0], [0.0, 0.0]])
    curves = deletion_curves(
        lambda batch: batch[:, 0, :4, :4].mean(axis=(1, 2)),
        {"image": image, "blur": blur},
        heatmap,
        steps=2,
        seed=0,
    )
    assert curves[REFERENCES.index("blur"), 0].tolist() == [1.0, 0.0, 0.0]

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from spinexplain.errors import ConfigError
from spinexplain.findings.scan import Comparison
from spinexplain.models.receptive import ReceptiveField, upsample_map
from spinexplain.report.side_by_side import draw_comparison, write_comparison
from spinexplain.types import Evidence, Explanation


@pytest.fixture
def compared(lumbar):
    """L1 of the lumbar scan; invented class activation maps beside its invented prototypes."""
    item = lumbar.vertebrae[1]
    explanation = item.assessments[0].explanation
    shape = explanation.patch.array.shape
    heat = np.exp(-np.sum((np.indices(shape) - 40) ** 2, axis=0) / 200).astype(np.float32)
    maps = tuple(
        Explanation(explanation.patch, "G2", name, "sum", (Evidence(name, "G2", heat, 1.0),))
        for name in ("GradCAM", "GradCAM++", "XGradCAM")
    )
    grading = item.assessments[0].grading
    return Comparison(lumbar.models[0], lumbar.models[0], grading, grading, explanation, maps)


def texts(figure):
    held = [text.get_text() for axes in figure.axes for text in axes.texts]
    return held + [text.get_text() for text in figure.texts]


def test_every_number_and_name_stands_in_the_figure(compared):
    said = " ".join(texts(draw_comparison([compared])))
    for piece in compared.prototypes.evidence[:3]:
        assert piece.name in said
        assert f"similarity {piece.detail.similarity:.2f}" in said
        assert f"{abs(piece.score):.2f}" in said
    for name in ("GradCAM", "GradCAM++", "XGradCAM", "L1", "evidence for G2", "CAMs for G2"):
        assert name in said


def test_test_and_training_maps_share_one_scale(compared):
    """The color of a map's peak follows its value over the brightest of the block."""
    figure = draw_comparison([compared])
    brightest = max(
        float(heat.max())
        for piece in compared.prototypes.evidence[:3]
        for heat in (piece.heatmap, piece.exemplars[0].heatmap)
    )
    first = compared.prototypes.evidence[0]
    wash = figure.axes[1].images[1].get_array()
    share = float(first.heatmap.max()) / brightest
    assert wash[..., 3].max() == pytest.approx(255 * 0.75 * share, abs=2)


def test_outlines_are_those_of_the_cells(compared):
    """A cell of 4 in small ones: the spline's ripples are in the maps, islands are not drawn."""
    rng = np.random.default_rng(0)
    cells = rng.uniform(0, 0.02, (14, 14))
    cells[5:8, 6:9] = rng.uniform(0.04, 0.08, (3, 3))
    cells[6, 7] = 4.0
    heat = upsample_map(cells, (112, 112), ReceptiveField(75, 8, 0.0))
    first = compared.prototypes.evidence[0]
    exemplar = replace(first.exemplars[0], array=None, heatmap=heat)
    known = {"grid": (14, 14), "stride_mm": 8.0, "start_mm": 0.5}
    for told, islands in (({}, True), (known, False)):
        piece = replace(first, heatmap=heat, exemplars=(exemplar,), **told)
        explanation = replace(compared.prototypes, evidence=(piece,))
        axes = draw_comparison([replace(compared, prototypes=explanation)]).axes
        for place in (axes[0], axes[2]):
            (outline,) = place.collections
            assert (len(outline.get_paths()[0].to_polygons()) > 1) is islands


def test_why_a_model_would_not_be_asked(compared):
    said = texts(draw_comparison([replace(compared, reason="metal")]))
    assert any("Outside the model's scope: metal" in text for text in said)


def test_several_vertebrae_stand_under_one_another(compared):
    one, two = draw_comparison([compared]), draw_comparison([compared, compared])
    assert len(two.axes) == 2 * len(one.axes)
    assert two.get_size_inches()[1] > 1.8 * one.get_size_inches()[1]


def test_the_same_file_twice(compared, tmp_path):
    first = write_comparison([compared], tmp_path / "a.png").read_bytes()
    assert write_comparison([compared], tmp_path / "b.png").read_bytes() == first
    assert Image.open(tmp_path / "a.png").width > 1500


def test_dark_and_as_vectors(compared, tmp_path):
    write_comparison([compared], tmp_path / "a.pdf")
    dark = write_comparison([compared], tmp_path / "dark.png", theme="dark")
    assert Image.open(dark).getpixel((2, 2))[0] < 60


def test_a_format_nobody_draws(compared, tmp_path):
    with pytest.raises(ConfigError, match=r"expected one of \.png"):
        write_comparison([compared], tmp_path / "figure.gif")
    assert list(tmp_path.iterdir()) == []


def test_names_with_dollar_signs_are_no_mathematics(compared, tmp_path):
    model = replace(compared.model, name="$x_{")
    write_comparison([replace(compared, model=model, beside=model)], tmp_path / "a.png")

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from spinexplain.ui.plots import confusion_png, matrix, reliability_png

FIGURES = {
    "classes": ["G0", "G2"],
    "vertebrae": 10,
    "confusion": [[6, 1], [0, 3]],
    "calibration": {
        "ece": 0.1,
        "counts": [0, 4, 6],
        "confidence": [None, 0.5, 0.9],
        "accuracy": [None, 0.75, 1.0],
    },
}


def test_plots_are_pictures_and_the_same_every_time(tmp_path):
    for draw in (confusion_png, reliability_png):
        draw(FIGURES, tmp_path / "a.png")
        draw(FIGURES, tmp_path / "b.png")
        assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
        pixels = np.asarray(Image.open(tmp_path / "a.png").convert("L"))
        assert pixels.std() > 10


def test_a_grade_that_is_no_class_makes_the_matrix_higher(tmp_path):
    confusion_png(FIGURES, tmp_path / "a.png")
    confusion_png({**FIGURES, "unknown_grades": {"G1": [2, 3]}}, tmp_path / "b.png")
    assert Image.open(tmp_path / "b.png").height > Image.open(tmp_path / "a.png").height


def test_a_matrix_writes_every_text():
    axes = Figure().add_subplot()
    matrix(axes, np.eye(2), ["a", "b"], ["c", "d"], [["1", "2"], ["3", "4"]])
    assert [text.get_text() for text in axes.texts] == ["1", "2", "3", "4"]

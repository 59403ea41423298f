import pytest
from PIL import Image


def test_a_figure_of_a_real_scan(spinexplain, lumbar, tmp_path):
    ct, mask = lumbar
    out = tmp_path / "figure.png"
    ended = spinexplain("compare", ct, "--labels", mask, "--level", "L1", "-o", out)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("L1 G")
    assert Image.open(out).width > 1500


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"--level": "T1"}, "not among the vertebrae"),
        ({"--level": "Q1"}, "expected T1 to T13"),
        ({"--theme": "pink"}, "light or dark"),
        ({"-o": "figure.txt"}, "expected one of .png"),
        ({"-o": "nowhere/figure.png"}, "no folder"),
        ({"--model": "nothing"}, "nothing"),
        ({"--labels": None}, "--centroids"),
    ],
)
def test_bad_input_is_named(changed, named, spinexplain, lumbar, tmp_path):
    ct, mask = lumbar
    options = {"--labels": mask, "--level": "L1", "-o": "figure.png"} | changed
    options["-o"] = tmp_path / options["-o"]
    words = [word for pair in options.items() if pair[1] is not None for word in pair]
    ended = spinexplain("compare", ct, *words)
    assert ended.code == 2
    assert named in ended.line
    assert list(tmp_path.iterdir()) == []


def test_an_existing_figure_is_kept(spinexplain, lumbar, tmp_path):
    ct, mask = lumbar
    out = tmp_path / "figure.png"
    out.write_text("mine")
    ended = spinexplain("compare", ct, "--labels", mask, "--level", "L1", "-o", out)
    assert ended.code == 2
    assert out.read_text() == "mine"

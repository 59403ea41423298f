import json
from pathlib import Path

from spinexplain.experiment.stored import find_results
from spinexplain.reproduce.paper_page import _dissections, write_page
from spinexplain.reproduce.papers import Asked, Step, copy_presets, paper_of

ROOT = Path(__file__).parents[2]


def test_the_page_says_what_is_missing(tmp_path):
    paper = paper_of("verse19")
    copy_presets(ROOT, paper, tmp_path)
    steps = [Step("cohort", ("prepare",), "cohort/index.parquet", "all")]
    text = write_page(paper, Asked((), Path("t")), steps, tmp_path).read_text("utf-8")
    assert "0 of 1 steps done" in text
    assert "No tables yet" in text
    assert "from scratch, which the papers do not" in text
    (tmp_path / "cohort").mkdir()
    (tmp_path / "cohort" / "index.parquet").touch()
    asked = Asked((), Path("t"), Path("vgg11.pth"), settings="seed=1")
    text = write_page(paper, asked, steps, tmp_path).read_text("utf-8")
    assert "1 of 1 steps done" in text
    assert "start from vgg11.pth. Settings changed for every training: `seed=1`." in text


def test_dissected_trainings_have_a_row_each(tmp_path):
    units = {
        "rank": [1, 2, 0],
        "q": [0.01, 0.2, 0.01],
        "contrast": [0.4, 0.2, -0.5],
        "effect": [0.3, 0.1, 0.0],
    }
    content = {"schema": "spinexplain/dissection/1", "units": units}
    path = tmp_path / "dissection-boxes-25-seed0" / "dissection.json"
    path.parent.mkdir()
    path.write_text(json.dumps(content))
    lines = _dissections(find_results(tmp_path))
    assert lines[-2] == "| boxes-25-seed0 | 3 | 1 | +0.30 | +0.20 |"

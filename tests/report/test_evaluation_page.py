import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from spinexplain.evaluate.figures import summarize
from spinexplain.evaluate.predictions import class_names
from spinexplain.report.evaluation_page import GALLERY, gallery, score, write_evaluation_page
from spinexplain.ui.pictures import Album

_SPEC = importlib.util.spec_from_file_location(
    "summaries", Path(__file__).parents[1] / "evaluate" / "test_figures.py"
)
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)
make_table = _MODULE.make_table


@pytest.fixture
def case():
    table = make_table(n=90, right=0.5)
    crops = np.random.default_rng(0).integers(-500, 1200, (90, 24, 24)).astype(np.int16)
    return table, crops


def page(table, crops, tmp_path):
    figures = {
        "cohort": "toys",
        "split": "test",
        "synthetic": True,
        "trained_on": "squares",
        "version": "1",
        **summarize(table, draws=50),
    }
    return write_evaluation_page(figures, table, crops, tmp_path).read_text("utf-8")


def test_the_page_is_one_file_with_everything(case, tmp_path):
    table, crops = case
    text = page(table, crops, tmp_path)
    assert "http" not in text.replace("http-equiv", "")
    assert "<script" not in text
    assert text.count("<figure>") == GALLERY
    for name in class_names(table):
        assert f">{name}</span>" in text
    assert "say nothing about patients" in text
    assert "Not a medical device" in text


def test_mild_fractures_are_shown_though_the_model_has_no_class_for_them(case, tmp_path):
    table, crops = case
    assert "no class of this model" not in page(table, crops, tmp_path)
    table.loc[:8, ["grade", "label"]] = ["G1", -1]
    text = page(table, crops, tmp_path)
    row = text.split('<tr class="unknown">')[1].split("</tr>")[0]
    assert ">G1</span>" in row
    assert sum(int(n) for n in re.findall(r"<b>(\d+)</b>", row)) == 9
    assert "G1: no class of this model" in text


def test_names_from_outside_are_escaped(case, tmp_path):
    table, crops = case
    table["subject"] = "<b>x</b>" + table["subject"]
    text = page(table, crops, tmp_path)
    assert "<b>x" not in text
    assert "&lt;b&gt;x" in text


def test_the_gallery_shows_the_surest_mistakes_first(case):
    table, crops = case
    found = gallery(table, crops, Album())
    best = [max(value for _, value in item.scores) for item in found]
    assert best == sorted(best, reverse=True)
    assert all(item.truth != item.called for item in found)


def test_a_model_without_mistakes(case, tmp_path):
    _, crops = case
    assert "Nothing: every vertebra" in page(make_table(n=90, right=1.1), crops, tmp_path)


def test_boxes_show_their_middle_sagittal_slice(case):
    table, _ = case
    crops = np.zeros((90, 8, 8, 8), np.int16)
    assert gallery(table, crops, Album())[0].picture.width == 8


def test_a_missing_figure_is_a_dash():
    assert score(None) == "–"

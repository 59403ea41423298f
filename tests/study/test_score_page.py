import csv
import io
import json

from PIL import Image

from spinexplain.study.answers import Answer, AnswerFile
from spinexplain.study.panel import Panel, simulate
from spinexplain.study.score import score_study
from spinexplain.study.score_page import answers_csv, headlines, write_score
from study.conftest import opened


def _written(folder, out, panel=None):
    study, key = opened(folder)
    files = simulate(study, key, panel or Panel(), 0)
    score = score_study(study, key, files, draws=20)
    out.mkdir()
    return score, write_score(out, score, study, key, files, folder / "pictures")


def test_a_scored_study_leaves_everything(made, tmp_path):
    _, names = _written(made, tmp_path / "out")
    assert sorted(names) == sorted(path.name for path in (tmp_path / "out").iterdir())
    assert {"score.html", "score.md", "score.json", "answers.csv"} <= set(names)
    figures = [name for name in names if name.startswith("figure8")]
    assert figures
    assert Image.open(tmp_path / "out" / figures[0]).size[0] > 600
    page = (tmp_path / "out" / "score.html").read_text()
    assert "<script" not in page
    assert "Simulated readers" in page
    assert "published" in page
    assert json.loads((tmp_path / "out" / "score.json").read_text())["figure8"] == figures


def test_without_pictures_figure_8_is_left_out(written, tmp_path):
    folder = written(cases=4)
    (folder / "pictures" / "p0.png").unlink()
    _, names = _written(folder, tmp_path / "out")
    assert not [name for name in names if name.startswith("figure8")]
    assert "score.html" in names


def test_headlines_warn_first(written, tmp_path):
    score, _ = _written(written(), tmp_path / "out", Panel(kinds=("yes", "careful")))
    lines = headlines(score)
    assert lines[0].startswith("Simulated readers")
    assert any("Reader 1" in line and "uninformative" in line for line in lines)


def test_a_text_cannot_run_as_a_formula_and_html_stays_text(written):
    study, key = opened(written(cases=2))
    item = next(iter(study.items)).id
    said = Answer(item=item, piece=0, question="opinion", value='=cmd|"x"', at="2026")
    file = AnswerFile(study=study.id, reader=1, source="app", answers=(said,))
    rows = list(csv.DictReader(io.StringIO(answers_csv(study, key, [file]))))
    assert rows[0]["answer"] == '\'=cmd|"x"'
    assert rows[0]["patient"].startswith("sub-")

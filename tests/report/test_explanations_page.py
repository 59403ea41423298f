import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from spinexplain.analysis.explanations.assemble import Panel
from spinexplain.report.explanations_page import gain, markdown, page, position, sorted_rows


class Tables(HTMLParser):
    """Collect the cells of every row of a page."""

    def __init__(self):
        super().__init__()
        self.rows, self.cell = [], None

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.cell = []

    def handle_endtag(self, tag):
        if tag in ("td", "th") and self.cell is not None:
            self.rows[-1].append(" ".join("".join(self.cell).split()))
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell.append(data)


def cells(html):
    parser = Tables()
    parser.feed(html)
    return parser.rows


def test_the_page_holds_every_explainer_with_its_skill(scored):
    html = (scored.request.out / "index.html").read_text()
    rows = cells(html)
    for row in scored.content["rows"]:
        shown = [cell for cell in rows if cell and cell[0].startswith(row["explainer"])]
        assert len(shown) >= 5
        top = row["localization"]["top_share"]
        assert any(gain(top["gain"]["value"], 2) in cell for cell in shown[0])
    for prior in scored.content["benches"]["sheets of 112 mm"]["priors"]:
        assert any(cell and cell[0] == prior["prior"] for cell in rows)
    assert "dissection on protoverse-phantom: no dissection" in html


def test_the_page_needs_no_network_and_no_script(scored):
    html = (scored.request.out / "index.html").read_text()
    assert "<script" not in html
    assert not re.search(r'(src|href)="http', html)
    assert html.count("<figure>") == 6  # best, median and worst of two explainers


def test_names_from_outside_are_escaped(scored):
    bad = '<img src=x onerror="alert(1)">|'
    row = {**scored.content["rows"][0], "model": bad, "explainer": bad}
    content = {**scored.content, "rows": [row], "cohort": bad}
    panel = Panel("best", np.zeros((8, 8)), np.ones((8, 8)), np.eye(8, dtype=bool), bad, "G2", 0.5)
    html = page(content, {bad: [panel]})
    assert "<img src=x" not in html
    text = markdown(content)
    assert "<img" not in text
    line = next(part for part in text.splitlines() if "onerror" in part and part.startswith("|"))
    assert line.count(" | ") == text.splitlines()[4].count(" | ")


def test_the_markdown_table_has_the_figures(scored):
    text = (scored.request.out / "leaderboard.md").read_text()
    top = scored.content["rows"][0]["localization"]["top_share"]
    assert f"{top['value']:.3f}" in text
    assert "mean evidence in the body's frame" in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("| proto")}
    assert len(widths) == 1


def test_json_and_plots_lie_beside(scored):
    stored = json.loads((scored.request.out / "leaderboard.json").read_text())
    assert stored == json.loads(json.dumps(scored.content))
    for name in ("skill", "placement", "deletion"):
        assert (scored.request.out / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_3d_panel_shows_its_middle_slice():
    hu, heatmap = np.zeros((8, 8, 8)), np.zeros((4, 4, 4), np.float32)
    heatmap[1, 1, 2] = 1
    content = {
        "cohort": "c",
        "drawn": True,
        "draws": 1,
        "seed": 0,
        "bench_seed": 0,
        "steps": 0,
        "benches": {},
        "rows": [],
        "prototypes": {},
        "left_out": [],
    }
    panel = Panel("best", hu, heatmap, heatmap > 0, "subject", "G2", 1.0)
    assert 'viewBox="0 0 8 8"' in page(content, {"model: x": [panel]})


def test_rows_are_sorted_by_what_is_sure():
    def row(name, low):
        place = {"endplate": {"gain": {"low": low}}}
        return {"explainer": name, "placement": place, "localization": {}}

    rows = [row("none", None), row("small", 0.1), row("large", 0.3)]
    assert [one["explainer"] for one in sorted_rows(rows)] == ["large", "small", "none"]


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (0.0, "0.000"), (0.5, "+0.500")])
def test_gains_have_signs(value, text):
    assert gain(value) == text
    assert 0 <= position(value, -0.5, 0.5) <= 100

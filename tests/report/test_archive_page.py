from spinexplain.report.archive_page import write_archive_page

FIGURES = {
    "scans": {"graded": 3, "refused": 1},
    "refusals": {"<script>alert(1)</script>": 1},
    "vertebrae": 12,
    "not_assessable": 1,
    "with_fracture": 2,
    "levels": [{"group": "L1", "graded": 3, "fractured": 2, "lost": 1, "share": 0.6667}],
    "ages": [],
    "sexes": [{"group": "F", "graded": 3, "fractured": 2, "lost": 1, "share": 0.6667}],
    "training": None,
    "drift": [
        {"what": "body_hu", "median": 90.0, "median_before": 150.0, "gap": 0.6, "drifted": True}
    ],
}


def test_the_page_shows_the_figures_and_escapes_what_comes_from_outside(tmp_path):
    page = write_archive_page(FIGURES, tmp_path).read_text()
    assert "3 scans graded" in page
    assert "66.7 %" in page
    assert "By age" not in page
    assert "0.6 drifted" in page
    assert "<script>" not in page


def test_drift_against_the_training_has_its_own_table(tmp_path):
    row = {"what": "score", "index": 0.31, "median": 0.7, "median_before": 0.5}
    rows = [row | {"by_chance": 0.1, "verdict": "drifted"}]
    training = {"model": "<b>own</b>", "source": "phantoms", "vertebrae": 900, "rows": rows}
    page = write_archive_page(FIGURES | {"training": training}, tmp_path).read_text()
    assert "900 vertebrae" in page
    assert "<td>0.31</td>" in page
    assert "<b>own" not in page


def test_without_an_earlier_run_there_is_no_drift(tmp_path):
    page = write_archive_page(FIGURES | {"drift": None}, tmp_path).read_text()
    assert "Drift" not in page

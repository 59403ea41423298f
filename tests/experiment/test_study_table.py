import json

from spinexplain.experiment.stored import Results, find_results
from spinexplain.experiment.study_table import NO_STUDY, study_pictures, study_tables
from spinexplain.experiment.tables import published

PAPER = published()["protoverse"]


def _score(**changes):
    share = {"value": 0.5, "low": 0.25, "high": 0.75, "note": ""}
    row = {"arm": "prototypes", "question": "relevance", "reader": 1, "grade": "G2", "share": share}
    foil = {"arm": "prototypes", "question": "relevance", "reader": 1, "foil": "all"}
    foil |= {"real": 0.8, "false": 0.8, "verdict": "uninformative: one answer to everything"}
    return {
        "schema": "spinexplain/study-score/1",
        "study": "s1",
        "cohort": "c",
        "patients": 20,
        "synthetic": True,
        "simulated": False,
        "readers": [{"reader": 1, "pages": 30}],
        "table4": [row],
        "foils": [foil],
        "figure8": ["figure8-G2.png", "../secret.png"],
    } | changes


def test_ours_stands_below_the_published_raters_with_the_foils_beside(tmp_path):
    (tmp_path / "score.json").write_text(json.dumps(_score()))
    (tmp_path / "figure8-G2.png").write_bytes(b"")
    results = find_results(tmp_path)
    (table,) = study_tables(results, PAPER)
    assert table.key == "protoverse-table4"
    assert [row.name for row in table.rows] == ["rater 1", "rater 2", "prototypes, reader 1"]
    assert table.rows[2].cells == ("0.50 (0.25 to 0.75)", *["–"] * 5)
    assert "0.80 of real pieces and 0.80 of foils (uninformative" in table.notes[-1]
    assert "phantoms" in table.notes[-2]
    pictures = study_pictures(results.of("study")[0])
    assert [path.name for path in pictures] == ["figure8-G2.png"]


def test_simulated_readers_are_called_so(tmp_path):
    (tmp_path / "score.json").write_text(json.dumps(_score(simulated=True)))
    (table,) = study_tables(find_results(tmp_path), PAPER)
    assert table.notes[0].startswith("SIMULATED")


def test_several_studies_have_tables_of_their_own(tmp_path):
    for name in ("s1", "s2"):
        (tmp_path / f"{name}.json").write_text(json.dumps(_score(study=name)))
    keys = [table.key for table in study_tables(find_results(tmp_path), PAPER)]
    assert keys == ["protoverse-table4-s1", "protoverse-table4-s2"]


def test_none_without_a_study():
    assert study_tables(Results(), PAPER) == []
    assert "left out" in NO_STUDY

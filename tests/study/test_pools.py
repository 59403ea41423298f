from spinexplain.study.panel import Panel, simulate
from spinexplain.study.pools import alike, leading, pools
from spinexplain.study.score import score_study
from spinexplain.study.score_page import headlines
from spinexplain.study.tally import tally
from study.conftest import opened


def test_a_panel_with_one_yes_rater_speaks_by_the_others(written):
    """Pooled with an all-yes rater, the difference halves; the headline is not pooled so."""
    study, key = opened(written(cases=40, foils=40))
    files = simulate(study, key, Panel(kinds=("careful", "yes")), 0)
    found, question = tally(study, key, files), study.question("relevance")
    assert alike(found, question) == {2: ("yes", 40 * 3 + 40 * 3 + 10 * 3)}
    assert pools(found, question) == [("informative", [0]), ("all", [0, 1])]
    score = score_study(study, key, files, draws=50)
    wanted = {"foil": "all", "question": "relevance"}
    rows = {r["reader"]: r for r in score["foils"] if wanted.items() <= r.items()}
    apart = {reader: row["difference"]["value"] for reader, row in rows.items()}
    assert apart["informative"] == apart[1]
    assert abs(apart["all"] - apart[1] / 2) < 1e-9
    assert rows[2]["difference"] == {
        "value": 0.0,
        "low": None,
        "high": None,
        "note": "no interval: one answer to everything",
    }
    assert leading(score["foils"], **wanted)["reader"] == "informative"
    said = [line for line in headlines(score) if "1 informative reader" in line]
    assert len(said) == 2
    assert {row["readers"] for row in score["power"]} == {1}


def test_where_nobody_or_everybody_is_informative_there_is_one_pool(written):
    study, key = opened(written(cases=12, foils=12))
    question = study.question("relevance")
    for kinds in (("careful",), ("yes", "no")):
        found = tally(study, key, simulate(study, key, Panel(kinds=kinds), 0))
        assert pools(found, question) == [("all", [0, 1])]

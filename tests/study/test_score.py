"""A panel with known agreement is scored back to it; all-yes, all-no and lone readers too."""

import pytest

from spinexplain.errors import ConfigError
from spinexplain.study.panel import Panel, simulate
from spinexplain.study.score import score_study
from study.conftest import opened, row_of, scored


@pytest.mark.parametrize("kappa", [0.2, 0.7])
def test_planted_agreement_comes_back(written, kappa):
    folder = written(cases=250, foils=0, repeats=150)
    found = scored(folder, Panel(real=0.7, agreement=kappa, repeat=0.5), draws=30)
    row = row_of(found["agreement"], question="relevance", per="piece")
    assert row["cohen"]["value"] == pytest.approx(kappa, abs=0.08)
    assert row["fleiss"]["value"] == pytest.approx(kappa, abs=0.08)
    chance = 2 * 0.7 * 0.3
    planted = 1 - chance * (1 - kappa)
    assert row["gwet"]["value"] == pytest.approx((planted - chance) / (1 - chance), abs=0.08)
    own = row_of(found["repeats"], question="relevance", reader=1)
    assert own["cohen"]["value"] == pytest.approx(0.5, abs=0.15)


def test_planted_shares_come_back(written):
    folder = written(cases=300, foils=300, repeats=0)
    found = scored(folder, Panel(real=0.8, foil=0.3), draws=60)
    row = row_of(found["foils"], question="relevance", reader="all", foil="all")
    assert row["real"] == pytest.approx(0.8, abs=0.04)
    assert row["false"] == pytest.approx(0.3, abs=0.05)
    assert row["difference"]["low"] < 0.5 < row["difference"]["high"]
    assert row["verdict"] == "separates real evidence from foils"
    table = row_of(found["table4"], question="relevance", reader=1, grade="all")
    assert table["share"]["value"] == pytest.approx(0.8**3 + 3 * 0.8**2 * 0.2, abs=0.06)
    assert table["share"]["low"] < table["share"]["value"] < table["share"]["high"]
    assert found["power"][0]["cases_for_80_percent"] == 10


def test_readers_who_see_no_difference_are_not_said_to(written):
    found = scored(written(cases=60, foils=60, repeats=0), Panel(real=0.6, foil=0.6), seed=5)
    row = row_of(found["foils"], question="relevance", reader="all", foil="all")
    assert row["verdict"] == "does not separate real evidence from foils"


@pytest.mark.parametrize(("kind", "share"), [("yes", 1.0), ("no", 0.0)])
def test_one_answer_to_everything_is_called_uninformative(written, kind, share):
    found = scored(written(), Panel(kinds=(kind, "careful")))
    row = row_of(found["foils"], question="relevance", reader=1, foil="all")
    assert (row["real"], row["difference"]["value"]) == (share, 0)
    assert row["verdict"].startswith("uninformative")
    assert "real and false alike: uninformative" in found["readers"][0]["notes"][0]
    assert found["readers"][1]["notes"] == []
    table = row_of(found["table4"], question="relevance", reader=1, grade="all")
    assert table["share"]["value"] == share
    assert (
        "one answer throughout: Cohen's kappa is 0 whatever the other says"
        in row_of(found["agreement"], question="relevance", per="piece")["note"]
    )


def test_two_of_them_agree_and_kappa_says_nothing(written):
    found = scored(written(), Panel(kinds=("yes",)))
    row = row_of(found["agreement"], question="relevance", per="piece")
    assert row["gwet"]["value"] == 1
    assert row["cohen"]["value"] is None
    assert "says nothing" in row["note"]
    assert found["power"] == []


def test_one_reader_has_shares_and_no_agreement(written):
    found = scored(written(readers=1), Panel())
    assert found["agreement"] == []
    assert found["table4"]
    assert found["repeats"]


def test_half_answered_studies_are_scored_from_what_is_there(written):
    folder = written()
    study, key = opened(folder)
    files = simulate(study, key, Panel(), 0)
    half = files[1].model_copy(update={"answers": files[1].answers[:100]})
    found = scored(folder, Panel(), files=[files[0], half])
    assert 0 < found["readers"][1]["finished"] < found["readers"][1]["pages"]
    row = row_of(found["table4"], question="relevance", reader=2, grade="all")
    assert 0 < row["pages"] < row["asked"]


def test_nobody_and_mixed_panels_are_refused(written):
    folder = written(cases=4)
    study, key = opened(folder)
    with pytest.raises(ConfigError, match="nobody has answered"):
        score_study(study, key, [])
    files = simulate(study, key, Panel(), 0)
    mixed = [files[0], files[1].model_copy(update={"source": "app"})]
    with pytest.raises(ConfigError, match="simulated readers stand beside"):
        score_study(study, key, mixed)

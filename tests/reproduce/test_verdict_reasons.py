from types import SimpleNamespace

import pandas as pd
import pytest

from spinexplain.analysis.verdict.stored_table import store_table
from spinexplain.findings.weighing import stored_calibration
from spinexplain.reproduce import verdict_reasons as module
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.verdict import SCANS
from spinexplain.reproduce.verdict_fit import TABLE
from spinexplain.reproduce.verdict_reasons import measure, reasoned, stated, stored_answers

ROW = {
    "group": "hard",
    "subject": "a",
    "normal": False,
    "level": "T8",
    "route": "labels",
    "grade": 0,
    "look_alikes": "",
    "prototypes": -6.0,
    "prototypes_spread": 0.1,
    "called": "G0",
    "heights": 0.0,
    "measured_loss": 0.02,
    "deformity": "",
    "refusal": "",
}
"""A healthy vertebra, rightly graded."""


def row(**changes) -> dict:
    return ROW | changes


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        [
            row(),
            row(called="G2", prototypes=-1.0, look_alikes="lesion,osteophyte"),
            row(grade=3, called="G3", prototypes=9.0, heights=9.0, measured_loss=0.5),
            row(grade=2, called="G0", prototypes=-9.0, heights=-9.0, measured_loss=0.0),
            row(grade=1, called="G2"),
            row(refusal="too dark"),
            row(route="centroids"),
        ]
    )


def test_the_verdict_is_set_beside_what_the_network_says(table):
    rows = reasoned(table, stored_calibration())
    assert rows["kind"].tolist() == ["right_healthy", "false_alarm", "found", "missed"]
    assert rows["caught"].tolist() == [False, True, False, False]


def test_counts_are_by_rule_and_by_look_alike(table):
    content = stated(table, stored_calibration(), {"name": "m", "version": "1"})
    assert content["kinds"] == {"false_alarm": 1, "right_healthy": 1, "missed": 1, "found": 1}
    assert content["caught"]["false_alarm"] == 1
    assert sum(r["found"] for r in content["reasons"].values()) == 1
    assert content["look_alikes"]["lesion"] == content["look_alikes"]["osteophyte"]
    assert content["look_alikes"]["none"]["missed"] == [0, 1]


def test_heights_alone_are_an_opponent(table):
    found = stated(table, stored_calibration(), {"name": "m", "version": "1"})["opponents"]
    alone, differ = found["heights alone"], found["doubt where they differ"]
    assert alone["caught"]["false_alarm"] == differ["caught"]["false_alarm"] == 1
    assert alone["caught"]["missed"] == differ["caught"]["missed"] == 0  # heights see none, too
    assert alone["caught"]["found"] == differ["caught"]["found"] == 0
    assert alone["dismissed"] <= 1
    assert differ["dismissed"] == 0


def test_stored_answers_are_those_of_this_network_and_of_all_spines(table, tmp_path, monkeypatch):
    monkeypatch.setitem(SCANS, "hard", (1, 1))
    path = store_table(table.assign(weights_sha256="abc"), tmp_path / TABLE)
    taken = stored_answers(path, "abc")
    assert (
        reasoned(taken, stored_calibration())["kind"].tolist()
        == reasoned(table, stored_calibration())["kind"].tolist()
    )
    assert stored_answers(path, "other") is None
    assert stored_answers(tmp_path / "none.csv.gz", "abc") is None
    monkeypatch.setitem(SCANS, "hard", (1, 2))
    assert stored_answers(path, "abc") is None


def test_the_newest_stored_answers_are_taken_before_any_is_asked(table, tmp_path, monkeypatch):
    info = SimpleNamespace(name="m", version="1", weights_sha256="abc")
    monkeypatch.setattr(module, "load_grader", lambda _: SimpleNamespace(info=info))
    monkeypatch.setattr(module, "asked", lambda _: table.iloc[:1])
    monkeypatch.setitem(SCANS, "hard", (1, 1))
    setting = Setting(tmp_path, tmp_path, tmp_path / "new", tmp_path)

    def healthy():
        measure(setting)
        stored = setting.stored(module.RESULTS)
        return stored["witnesses"], stored["kinds"]["right_healthy"]

    assert healthy() == ("asked", 1)
    twice = pd.concat([table, table]).assign(weights_sha256="abc")
    (tmp_path / "docs" / "results").mkdir(parents=True)
    store_table(twice, tmp_path / "docs" / "results" / TABLE)
    assert healthy() == ("stored", 2)
    store_table(pd.concat([twice, twice]), tmp_path / "new" / TABLE)
    assert healthy() == ("stored", 4)

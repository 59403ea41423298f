import pytest

from spinexplain.errors import ModelError
from spinexplain.jobs.curation_record import in_words, read_audit, roll_back


def test_nothing_to_roll_back_is_said(finished_run, tmp_path):
    with pytest.raises(ModelError, match="keeps no earlier model"):
        roll_back(finished_run[0], tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_damaged_log_is_said(tmp_path):
    (tmp_path / "audit.json").write_text("{}")
    with pytest.raises(ModelError, match="log of a curation"):
        read_audit(tmp_path)


def test_without_a_log_nothing_was_done(tmp_path):
    assert read_audit(tmp_path) == []


def test_a_line_a_figure_and_none_for_what_was_not_measured():
    grades = {"f1": {"value": 0.5}, "accuracy": 0.75}
    gain = {"value": 0.25, "low": None, "high": None}
    figures = {"before": {"grades": grades}, "after": {"grades": grades | {"f1": None}}}
    assert in_words({"figures": figures | {"accuracy_gain": gain}}) == [
        "class-average F1: 0.500 -> -",
        "accuracy: 0.750 -> 0.750",
    ]
    said = in_words({"figures": figures | {"accuracy_gain": gain | {"low": 0.1, "high": 0.4}}})
    assert said[2] == "accuracy gained: +0.250 (+0.100 to +0.400)"

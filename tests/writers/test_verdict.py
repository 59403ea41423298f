"""Targets say whether they are met."""

from writers.verdict import _target


def test_a_missed_target_says_so():
    figures = {"together": {"false_alarm_spines": [2, 9], "g3_noticed": [36, 36]}}
    assert _target("hard", "false_alarm_spines", figures) == "at most 10 %: missed"
    assert _target("hard", "g3_noticed", figures) == "at least 97 %"
    assert _target("shifted-scanner", "g3_noticed", figures) == ""

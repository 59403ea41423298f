from writers import detector


def test_figures_come_with_their_interval():
    found = {"auc": 0.912, "auc_low": 0.85, "auc_high": 0.97}
    assert detector.figure(found, "auc") == "0.91 (0.85–0.97)"
    assert detector.figure({"f1": 0.5}, "f1") == "0.50"
    assert detector.percent(0.5, 0.021) == "50.0 ± 2.1"
    assert detector.percent(None, None) == "–"

from spinexplain.reproduce.dissection import study
from spinexplain.reproduce.setting import Setting


def test_what_is_stored_is_not_run_again(tmp_path, monkeypatch, listener):
    setting = Setting(tmp_path, tmp_path, tmp_path / "results", tmp_path, progress=listener)
    setting.store(study.RESULTS, {"detector": 1, "readings": 2, "shortcut": 3})
    monkeypatch.setattr(study, "sheet_sizes", lambda one: {"new": 4})
    study.measure(setting)
    assert setting.stored(study.RESULTS)["sizes"] == {"new": 4}
    assert setting.stored(study.RESULTS)["detector"] == 1
    assert listener.steps[-1] == ("Experiments", 4, 4)

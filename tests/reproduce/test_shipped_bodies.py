from spinexplain.reproduce import shipped_bodies
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_bodies import drawn_crops
from spinexplain.train.localizer.body_training import read_crops


def test_persons_are_drawn_once(tmp_path, monkeypatch, listener):
    setting = Setting(tmp_path, tmp_path, tmp_path, tmp_path, progress=listener)
    paths = drawn_crops(setting, persons=1)
    assert len(read_crops(paths)) % shipped_bodies.PER_BODY == 0

    def fail(*_):
        raise AssertionError("drawn again")

    monkeypatch.setattr(shipped_bodies, "body_crops", fail)
    assert drawn_crops(setting, persons=1) == paths

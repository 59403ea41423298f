from dataclasses import asdict
from types import SimpleNamespace

import pytest

from spinexplain.evaluate.locating import LocatedScan
from spinexplain.reproduce import localizer
from spinexplain.reproduce.localizer import counted, measure
from spinexplain.reproduce.setting import Setting


def test_counting_from_either_end_needs_no_image():
    assert counted(3, first="T11") == ("T11", "T12", "L1")
    assert counted(3, last="L5") == ("L3", "L4", "L5")


@pytest.mark.parametrize("count", [1, 6, 24])
def test_beyond_the_named_levels_there_is_no_name(count):
    below = counted(count, first="L4")
    assert len(below) == count
    assert below[:2] == ("L4", "L5")[:count]
    assert "L6" not in below
    assert "T13" not in counted(count, last="L5")


def test_a_study_takes_up_the_persons_it_measured_before(tmp_path, monkeypatch):
    asked = []

    def judged(index, networks, prior):
        asked.append(index)
        one = asdict(LocatedScan(5, 5, 4, 0, 5, 5, index != 1, 0.9, False))
        return [{"group": group, "ways": {"localizer": one}} for group in localizer.GROUPS]

    networks = SimpleNamespace(info=SimpleNamespace(version="9"))
    monkeypatch.setattr(localizer, "judged_person", judged)
    monkeypatch.setattr(localizer, "judged_real", lambda *_: {})
    monkeypatch.setattr(localizer, "real_scan", lambda *_: None)
    monkeypatch.setattr(localizer, "shipped_networks", lambda: networks)
    setting = Setting(tmp_path, tmp_path / "work", tmp_path / "results", tmp_path)
    measure(setting, 1)
    measure(setting, 2)
    assert asked == [0, 1]
    found = setting.stored(localizer.RESULTS)
    assert found["phantoms"]["narrow"]["localizer"]["right"] == 0.5
    assert (found["together"]["scans"], found["together"]["right"]) == (6, 0.5)
    assert set(found["chance"]) == {"whole", "crops", "narrow", "all"}

from pathlib import Path

import numpy as np
import pytest

import spinexplain
from spinexplain.io.json_file import write_json
from spinexplain.localizer.locate import ReadChain
from spinexplain.localizer.located import LocatedCenter
from spinexplain.reproduce import found_scans as module
from spinexplain.reproduce.found_scans import (
    DrawnPersons,
    FoundScan,
    as_json,
    found_scans,
    read_scans,
    scanned,
)
from spinexplain.reproduce.setting import Setting


class Info:
    sha256 = "0123456789"


class Networks:
    info = Info()


def chain():
    centers = tuple(LocatedCenter((0.1, 0.2, -30.0 * k), 0.9, k == 1) for k in range(2))
    return ReadChain(centers, np.full((2, 27), -1.25), np.array([30.0]), ("sacrum",), 12.0, "why")


def scan(found, person=3):
    truth = np.arange(6.0).reshape(2, 3)
    return FoundScan(person, "crops", ("L4", "L5"), truth, found, np.zeros((0, 3)))


@pytest.mark.parametrize("found", [chain(), None])
def test_a_scan_is_read_as_it_was_stored(tmp_path, found):
    path = tmp_path / "003.json"
    write_json(path, [as_json(scan(found))])
    (one,) = read_scans(path, 3)
    assert (one.person, one.group, one.levels) == (3, "crops", ("L4", "L5"))
    assert one.truth_mm.tolist() == scan(found).truth_mm.tolist()
    assert one.classical_mm.shape == (0, 3)
    assert one.centers_mm.shape == (0 if found is None else 2, 3)
    if found is None:
        assert one.chain is None
    else:
        assert one.chain.centers == found.centers
        assert one.chain.evidence.tolist() == found.evidence.tolist()
        assert (one.chain.in_view, one.chain.doubt) == (("sacrum",), "why")


def test_persons_that_were_found_before_are_taken_up(tmp_path, monkeypatch):
    asked = []

    def scans_of(drawn, index, networks, prior):
        asked.append(index)
        yield scan(None, index)

    monkeypatch.setattr(module, "_scans_of", scans_of)
    setting = Setting(tmp_path, tmp_path, tmp_path, tmp_path)
    for persons in (1, 2):
        found = found_scans(setting, DrawnPersons("wide", 1, persons), Networks(), None)
    assert asked == [0, 1]
    assert [one.person for one in found] == [0, 1]


def test_other_parts_and_other_code_are_kept_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_scans_of", lambda drawn, index, *_: iter([scan(None, index)]))
    setting = Setting(tmp_path, tmp_path, tmp_path, tmp_path)
    asked = []
    monkeypatch.setattr(module, "code_hash", lambda *patterns: asked.append(patterns) or "new")
    for parts in (2, 3):
        found_scans(setting, DrawnPersons("wide", 1, 1, parts=parts), Networks(), None)
    names = {path.name for path in (tmp_path / "localizer-found").iterdir()}
    assert names == {f"01234567-new-wide-1-crops-narrow-{parts}" for parts in (2, 3)}
    patterns = {"localizer/*.py", "train/localizer/scans.py", "data/phantom/wide/*.py"}
    assert patterns <= set(asked[0])
    monkeypatch.undo()
    package = Path(spinexplain.__file__).parent
    assert all(list(package.glob(pattern)) for pattern in module.FINDING)


def test_a_person_is_scanned_in_the_groups_that_are_asked_for(monkeypatch):
    def drawn_scan(person, seed, crop, spacing_mm):
        return f"{person} {seed} {crop}"

    monkeypatch.setattr(module, "draw_wide_person", lambda preset, seed, index: preset)
    monkeypatch.setattr(module, "drawn_scan", drawn_scan)
    monkeypatch.setattr(module, "around_spine", lambda scan: f"about {scan}")
    parts = list(scanned(DrawnPersons("wide", 1, 9), 4))
    assert parts == [
        ("crops", "wide 401 True"),
        ("narrow", "about wide 401 True"),
        ("crops", "wide 402 True"),
    ]
    whole = list(scanned(DrawnPersons("wide", 1, 9, groups=("whole",)), 4))
    assert whole == [("whole", "wide 400 False")]

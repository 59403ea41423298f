"""The study of the verdict: which scans it draws."""

from spinexplain.reproduce.verdict import SCANS, planned
from spinexplain.reproduce.verdict_fit import FITTED, NEW, TESTED


def test_what_chooses_is_not_what_tests():
    assert not set(FITTED) & set(TESTED)
    assert set(FITTED) | set(TESTED) == set(SCANS)


def test_scans_are_mixed_and_the_two_scanners_see_the_same_persons(tmp_path):
    scans = planned(tmp_path, share=0.1)
    assert {scan.group for scan in scans[:10]} == set(SCANS)
    seeds = {name: {(s.seed, s.index) for s in scans if s.group == name} for name in SCANS}
    assert seeds["shifted-scanner"] == seeds["familiar-scanner"]
    assert len({scan.path for scan in scans}) == len(scans)


def test_new_persons_are_of_a_known_preset_and_of_other_seeds(tmp_path):
    scans = planned(tmp_path, share=0.05)
    presets = {scan.group: scan.preset for scan in scans}
    seeds = {scan.group: scan.seed for scan in scans}
    for group, preset in NEW.items():
        assert presets[group] == presets[preset]
        assert seeds[group] != seeds[preset]
    assert {scan.group for scan in scans if scan.by_mask} == set(NEW)

from pathlib import Path

from spinexplain.reproduce.real_scans import real_scan
from spinexplain.reproduce.transfer.prepared import read_prepared
from spinexplain.reproduce.transfer.real import (
    MASKED,
    Simulated,
    adjacent_crushes,
    as_they_are,
    fractured,
    single,
)

DATA = Path(__file__).parents[2] / "data"


def test_every_case_has_a_file_of_its_own(tmp_path):
    cases = [
        *as_they_are(tmp_path, DATA),
        *single(tmp_path, DATA),
        *adjacent_crushes(tmp_path, DATA),
    ]
    assert len({case.path for case in cases}) == len(cases)
    for case in cases:
        assert {level for level, *_ in case.fractures} <= set(MASKED[case.source])


def test_mask_and_scan_follow_a_simulated_fracture(tmp_path):
    scan = real_scan(DATA, "crop")
    made = fractured(scan, "L3", "wedge", 0.35, 1)
    assert (made.volume.array != scan.volume.array).any()
    assert (made.labels.array != scan.labels.array).any()
    case = Simulated("crop", (("L3", "wedge", 0.35, 1),), tmp_path, DATA)
    case.make()
    about, ready = read_prepared(case.path)
    assert about == {"source": "crop", "fractures": [["L3", "wedge", 0.35, 1]]}
    assert "L3" in [one.facts["level"] for one in ready]

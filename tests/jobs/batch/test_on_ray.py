import importlib.util
from pathlib import Path

import pytest

from spinexplain.errors import ConfigError
from spinexplain.jobs.batch import on_ray as module
from spinexplain.jobs.batch.crew import Crew
from spinexplain.jobs.batch.manifest import ArchiveScan
from spinexplain.jobs.batch.on_ray import _packed, grade_on_ray, unpacked


def _nothing():
    return ()


def test_a_scan_survives_the_way_through_a_block():
    scan = ArchiveScan("a", Path("/x/ct"), labels=Path("m"), age=70, sex="F")
    assert unpacked(_packed(scan)) == scan


def test_without_ray_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    scan = ArchiveScan("a", Path("/x/ct"), labels=Path("m"))
    with pytest.raises(ConfigError, match=r"pip install 'spinexplain\[scale\]'"):
        list(grade_on_ray([scan], tmp_path, _nothing, Crew(), "local"))


needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="ray is not installed; the extra scale has it"
)


@pytest.mark.slow
@needs_ray
def test_a_poisonous_scan_ends_neither_the_job_nor_goes_on_for_ever(tmp_path):
    """Bad input is a row on Ray too. One cluster for both, as starting it is what costs.

    The work is defined inside, so that it travels by value and actors need no file of ours.
    """

    def poisonous(scan, out, models):
        import os

        from spinexplain.jobs.batch.outcome import grade_one

        with (out / f"{scan.name}.log").open("a") as stream:
            stream.write("x")
        if scan.name == "die":
            os._exit(9)
        return grade_one(scan, out, models)

    scans = [
        ArchiveScan(name, tmp_path / f"{name}.nii.gz", labels=tmp_path / "m.nii.gz")
        for name in ("a", "die", "b", "c")
    ]
    crew = Crew(workers=2, attempts=2)
    found = grade_on_ray(scans, tmp_path, _nothing, crew, "local", poisonous)
    assert {one.name: one.state for one in found} == {
        "a": "refused",
        "die": "crashed",
        "b": "refused",
        "c": "refused",
    }
    assert 1 <= len((tmp_path / "die.log").read_text()) <= 2

import json
import shutil
from pathlib import Path

import pytest

from spinexplain.errors import ConfigError, FileFormatError, OutputError
from spinexplain.jobs.reproduce import ReproduceRequest, reproduce
from spinexplain.reproduce import accuracy

ROOT = Path(__file__).parents[2]
PAGE = Path("decisions/grounded-prototypes.md")


def test_a_page_is_written_from_stored_results(tmp_path):
    out = tmp_path / "again"
    written = reproduce(ReproduceRequest("receptive-fields", out, checkout=ROOT))
    assert (out / PAGE).read_bytes() == (ROOT / "docs" / PAGE).read_bytes()
    assert [path.name for path in written] == [PAGE.name, "receptive-fields.png"]


def test_fresh_results_stand_on_the_page(tmp_path, monkeypatch):
    def measured(setting):
        rows = json.loads((ROOT / "docs/results/accuracy.json").read_text())
        setting.store("accuracy.json", rows | {"phantoms": rows["phantoms"][:3]})

    monkeypatch.setattr(accuracy, "measure", measured)
    reproduce(ReproduceRequest("accuracy", tmp_path, fresh=True, checkout=ROOT))
    assert "| all | 3 |" in (tmp_path / "phantom.md").read_text()
    assert (tmp_path / "results" / "accuracy.json").is_file()


def test_what_other_commands_measure_is_not_measured_here(tmp_path):
    with pytest.raises(ConfigError, match="make bench"):
        reproduce(ReproduceRequest("benchmarks", tmp_path, fresh=True, checkout=ROOT))


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(ConfigError, match="accuracy"):
        reproduce(ReproduceRequest("acuracy", tmp_path, checkout=ROOT))
    with pytest.raises(FileFormatError, match="--checkout"):
        reproduce(ReproduceRequest("accuracy", tmp_path, checkout=tmp_path))
    shutil.copytree(ROOT / "docs" / "writers", tmp_path / "docs" / "writers")
    shutil.copy(ROOT / "docs" / "phantom.md", tmp_path / "docs")
    with pytest.raises(OutputError, match=r"accuracy\.json"):
        reproduce(ReproduceRequest("accuracy", tmp_path / "out", checkout=tmp_path))

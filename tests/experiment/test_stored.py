import json

import pytest

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.experiment.stored import find_results, same_data


def test_results_are_sorted_by_kind_and_single_runs_passed_over(stored, tmp_path):
    stored.write(tmp_path, a=stored.crossval([]), b=stored.evaluation("m"))
    other = tmp_path / "a" / "runs" / "x"
    other.mkdir(parents=True)
    (other / "figures.json").write_text(json.dumps(stored.evaluation("n")))
    (tmp_path / "note.json").write_text("[1]")
    found = find_results(tmp_path)
    assert [item.path.parent.name for item in found.of("crossval")] == ["a"]
    assert len(found.of("evaluation")) == 1
    assert found.of("trials") == ()


def test_nothing_found(tmp_path):
    with pytest.raises(ConfigError, match="holds no results"):
        find_results(tmp_path)
    with pytest.raises(ConfigError, match="no such folder"):
        find_results(tmp_path / "none")


def test_a_damaged_result_is_named(tmp_path):
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(FileFormatError, match=r"results\.json"):
        find_results(tmp_path)


def test_different_data_are_refused_by_hash(stored, tmp_path):
    stored.write(tmp_path, a=stored.evaluation("m"), b=stored.evaluation("n", "e" * 64))
    with pytest.raises(ConfigError, match=r"2 different data sets.*eeeeeeeeeeee"):
        same_data(find_results(tmp_path).of("evaluation"), "table 1")

import pytest

from spinexplain.errors import FileFormatError
from spinexplain.reproduce.setting import Setting


@pytest.fixture
def setting(tmp_path):
    return Setting(tmp_path, tmp_path / "work", tmp_path / "results", tmp_path / "images")


def test_results_are_stored_and_read(setting):
    assert setting.stored("a.json") is None
    path = setting.store("a.json", {"b": [1, None]})
    assert path.read_text().endswith("}\n")
    assert setting.stored("a.json") == {"b": [1, None]}


def test_results_that_are_none_are_named(setting):
    setting.store("a.json", 1).write_text("{")
    with pytest.raises(FileFormatError, match=r"a\.json"):
        setting.stored("a.json")

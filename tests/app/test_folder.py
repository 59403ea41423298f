import pytest

from spinexplain.app.folder import make_folder, new_id
from spinexplain.errors import OutputError


def test_a_folder_is_made_for_nobody_else(tmp_path):
    folder = make_folder(tmp_path / "data")
    assert folder.watched.is_dir()
    assert folder.root.stat().st_mode & 0o077 == 0


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("x")
    with pytest.raises(OutputError, match=r"thesis\.txt"):
        make_folder(tmp_path)


def test_a_folder_whose_database_is_elsewhere_is_taken_again(tmp_path):
    assert make_folder(tmp_path / "data") == make_folder(tmp_path / "data")


@pytest.mark.parametrize("scan_id", ["..", "", "a/b", "../../etc", "0" * 13, "ABCDEF012345"])
def test_no_path_comes_from_outside(tmp_path, scan_id):
    with pytest.raises(ValueError, match="id"):
        make_folder(tmp_path / "data").scan(scan_id)


def test_ids_differ():
    assert len({new_id() for _ in range(100)}) == 100

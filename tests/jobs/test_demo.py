import pytest

from spinexplain.errors import OutputError
from spinexplain.jobs.demo import DemoRequest, grade_examples


def test_a_folder_of_the_users_is_kept(tmp_path):
    (tmp_path / "notes.txt").write_text("precious")
    with pytest.raises(OutputError, match="exists"):
        grade_examples(DemoRequest(tmp_path))
    assert (tmp_path / "notes.txt").read_text() == "precious"

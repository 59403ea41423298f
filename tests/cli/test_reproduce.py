from pathlib import Path

from spinexplain.reproduce.studies import STUDIES

ROOT = Path(__file__).parents[2]


def test_studies_are_listed(spinexplain):
    ended = spinexplain("reproduce")
    assert ended.code == 0
    assert [line.split()[0] for line in ended.out.splitlines()] == list(STUDIES)


def test_a_page_is_written_elsewhere(spinexplain, tmp_path):
    ended = spinexplain("reproduce", "accuracy", "--checkout", ROOT, "-o", tmp_path / "again")
    assert ended.code == 0, ended.err
    page = tmp_path / "again" / "phantom.md"
    assert page.read_bytes() == (ROOT / "docs" / "phantom.md").read_bytes()
    assert f"written: {page}" in ended.out


def test_an_output_folder_is_needed(spinexplain):
    ended = spinexplain("reproduce", "accuracy")
    assert ended.code == 2
    assert "-o DIR" in ended.line

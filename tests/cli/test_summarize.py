import pytest

from spinexplain.cli.main import run


def test_a_folder_that_is_no_archive_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        run(["summarize", str(tmp_path)])
    assert ended.value.code == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert "Run batch first" in lines[0]

import pytest

from spinexplain.progress import SILENT


def test_silence_prints_nothing_and_lets_errors_through(capsys):
    with SILENT.stage("read"):
        SILENT.step("slices", 1, 2)
        SILENT.note("a line")
    with pytest.raises(ValueError, match="broken"), SILENT.stage("read"):
        raise ValueError("broken")
    assert capsys.readouterr() == ("", "")

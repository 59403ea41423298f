from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_an_estimate_is_printed(spinexplain):
    ended = spinexplain("paper", "verse19", "--estimate", "--seeds", 1, "--checkout", ROOT)
    assert ended.code == 0, ended.err
    assert "| all | |" in ended.out


def test_without_data_nothing_runs(spinexplain, tmp_path):
    ended = spinexplain("paper", "verse19", "-o", tmp_path / "o", "--checkout", ROOT)
    assert ended.code == 2
    assert "--table are needed" in ended.line

import pytest

from spinexplain.cli.progress import shown_stages


def test_stages_run_inside_the_bar_and_errors_pass_through():
    done = []
    with shown_stages("[red]not markup[/red]", total=2) as progress:
        with progress.stage("one"):
            done.append(1)
        with pytest.raises(ValueError, match="broken"), progress.stage("two"):
            raise ValueError("broken")
    assert done == [1]


def test_a_log_gets_nothing(capsys):
    with shown_stages("ct.nii.gz", total=1) as progress, progress.stage("one"):
        pass
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_the_title_as_plain_text(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with shown_stages("[red]ct[/red]", total=1) as progress, progress.stage("one"):
        pass
    assert "[red]ct[/red]" in capsys.readouterr().err

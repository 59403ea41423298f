import pytest

from spinexplain.cli.progress import shown_stages, shown_steps


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


def test_steps_are_drawn_and_lines_are_printed_as_they_are(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with shown_stages("ct", total=1) as progress, progress.stage("[red]x"):
        progress.step("warm", 1, 2)
        progress.note("[b]odd\x1b[2J")
    err = capsys.readouterr().err
    assert "[red]x: warm 1/2" in err
    assert "[b]odd?[2J" in err


@pytest.mark.parametrize(("keep", "left"), [(True, True), (False, False)])
def test_bars_of_steps_stay_in_a_log_only_if_kept(keep, left, capsys):
    with shown_steps(keep) as progress, progress.stage("not drawn"):
        progress.step("[red]warm", 1, 2)
        progress.step("[red]warm", 2, 2)
    err = capsys.readouterr().err
    assert ("[red]warm" in err) == left
    assert "not drawn" not in err

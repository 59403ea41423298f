import pytest

from spinexplain.cli.progress import shown_stages


def test_stages_run_inside_the_bar_and_errors_pass_through():
    done = []
    with shown_stages("[red]not markup[/red]", total=2) as stage:
        with stage("one"):
            done.append(1)
        with pytest.raises(ValueError, match="broken"), stage("two"):
            raise ValueError("broken")
    assert done == [1]

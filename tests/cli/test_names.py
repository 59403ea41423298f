"""The command itself is tried in test_dissect, on a dissection; here what it needs of words."""

from spinexplain.cli.main import app


def test_names_is_a_command_with_help():
    from typer.testing import CliRunner

    ended = CliRunner().invoke(app, ["names", "--help"], env={"COLUMNS": "200"})
    assert ended.exit_code == 0
    assert "--replace" in ended.output

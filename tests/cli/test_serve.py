from typer.testing import CliRunner

from spinexplain.cli.main import app


def test_an_account_is_made_without_its_password_on_the_command_line(tmp_path):
    arguments = ["serve", str(tmp_path / "data"), "--add-account", "Ada", "--role", "admin"]
    typed = "long enough\nlong enough\n"
    result = CliRunner().invoke(app, arguments, input=typed)
    assert result.exit_code == 0
    assert "account made: Ada (admin)" in result.output
    assert "long enough" not in result.output


def test_a_host_without_accounts_is_refused_in_one_line(tmp_path, capsys):
    import pytest

    from spinexplain.cli.main import run

    with pytest.raises(SystemExit) as end:
        run(["serve", str(tmp_path / "data"), "--host", "0.0.0.0"])
    assert end.value.code == 2
    assert "no account" in capsys.readouterr().err

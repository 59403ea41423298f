import pytest

from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.node.settings import MailboxSettings, password, read_settings

GOOD = """
[mailbox]
kind = "orthanc"
url = "http://127.0.0.1:8042"
[state]
folder = "/var/lib/spinexplain"
"""


def _read(tmp_path, text):
    path = tmp_path / "node.toml"
    path.write_text(text)
    return read_settings(path)


def test_little_is_needed(tmp_path):
    settings = _read(tmp_path, GOOD)
    assert settings.rules.min_age == 50
    assert settings.vertebrae.order == ("segmentation", "localizer")
    assert settings.models == (DEFAULT_MODEL,)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (GOOD + "[rules]\nmin_agee = 3\n", "rules.min_agee"),
        (GOOD + "[rules]\nmin_age = -3\n", "rules.min_age"),
        (GOOD.replace("orthanc", "pigeon"), "mailbox.kind"),
        (GOOD.replace("http:", "ftp:"), "url is"),
        (GOOD.replace("[state]", "[estate]"), "state"),
        (GOOD.replace('"orthanc"', '"scp"'), "allowed_aets is empty"),
        (
            GOOD.replace('"orthanc"', '"scp"') + '[scp]\nallowed_aets = ["A"]\n',
            "pacs_host",
        ),
        ("[mailbox", "is no TOML"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path, text, named):
    with pytest.raises(ConfigError) as caught:
        _read(tmp_path, text)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileFormatError, match="no such file"):
        read_settings(tmp_path / "node.toml")


def test_the_password_is_the_first_line_of_a_file(tmp_path):
    (tmp_path / "secret").write_text("geheim\nmore\n")
    box = MailboxSettings(kind="scp", password_file=tmp_path / "secret")
    assert password(box) == "geheim"
    assert password(MailboxSettings(kind="scp")) == ""
    with pytest.raises(FileFormatError):
        password(MailboxSettings(kind="scp", password_file=tmp_path / "none"))


def test_the_example_in_the_docs_is_a_configuration(tmp_path):
    import re
    from pathlib import Path

    page = Path(__file__).parents[2] / "docs" / "how-to" / "pacs.md"
    blocks = re.findall(r"```toml\n(.*?)```", page.read_text(), flags=re.DOTALL)
    assert blocks
    for block in blocks:
        _read(tmp_path, block)

"""Built-in tools and those of a configuration file."""

import pytest

from spinexplain.errors import ConfigError
from spinexplain.io.schemes import SCHEMES
from spinexplain.spine.localizer_config import BUILT_IN, localizer_named, read_localizers

GOOD = """
[localizers.ours]
command = ["segment", "--in", "{ct}", "--to", "{out}/seg.nii.gz"]
output = "seg.nii.gz"
scheme = "totalsegmentator"
version = "3"
"""


def write(tmp_path, text):
    (tmp_path / "x.toml").write_text(text, "utf-8")
    return tmp_path / "x.toml"


def test_built_in_tools_name_both_places_and_a_known_scheme():
    for template in BUILT_IN.values():
        assert any("{ct}" in word for word in template.command)
        assert any("{out}" in word for word in template.command)
        assert template.scheme in SCHEMES
        assert "install" in template.install.lower()


def test_totalsegmentator_is_asked_for_all_vertebrae_it_knows():
    command = BUILT_IN["totalsegmentator"].command
    start = command.index("--roi_subset")
    assert command[start + 1 :] == tuple(
        f"vertebrae_{name}"
        for name in [*(f"C{i}" for i in range(1, 8)), *(f"T{i}" for i in range(1, 13))]
        + [f"L{i}" for i in range(1, 6)]
    )


def test_own_tools_join_the_built_in_ones(tmp_path):
    known = read_localizers(write(tmp_path, GOOD))
    assert set(known) == {*BUILT_IN, "ours"}
    assert known["ours"].command[2] == "{ct}"
    assert known["ours"].version == "3"


def test_own_tools_may_replace_built_in_ones(tmp_path):
    text = GOOD.replace("localizers.ours", "localizers.totalsegmentator")
    assert read_localizers(write(tmp_path, text))["totalsegmentator"].version == "3"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("output", "outputs", r'"outputs" in \[localizers.ours\] .* Did you mean "output"'),
        ('"--in", "{ct}"', '"--in"', r"no word of it holds \{ct\}"),
        ("{out}/seg", "seg", r"no word of it holds \{out\}"),
        ('output = "seg', 'output = "../seg', r"expected a name inside \{out\}"),
        ('output = "seg', 'output = "/etc/seg', r"expected a name inside \{out\}"),
        ('"totalsegmentator"', '"nnunet"', "expected one of verse, totalsegmentator"),
        ('["segment", ', '"segment" # [', "valid tuple"),
        ("[localizers.ours]", "[localizers.ours", "no readable TOML"),
        ("[localizers.ours]", "localizers = 3\n[ours]", r"sections named \[localizers.NAME\]"),
        ("[localizers.ours]", "[localizers]", r"sections named \[localizers.NAME\]"),
    ],
)
def test_mistakes_are_named(tmp_path, old, new, message):
    with pytest.raises(ConfigError, match=message):
        read_localizers(write(tmp_path, GOOD.replace(old, new)))


def test_files_that_are_not_there_or_no_text(tmp_path):
    with pytest.raises(ConfigError, match="no readable TOML"):
        read_localizers(tmp_path / "nothing.toml")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="no readable TOML"):
        read_localizers(tmp_path / "b.toml")


def test_unknown_names_get_a_suggestion():
    with pytest.raises(ConfigError, match='Did you mean "spine-segment"'):
        localizer_named("spinesegment", BUILT_IN)

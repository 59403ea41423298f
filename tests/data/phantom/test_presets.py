import pytest

from spinexplain.data.phantom.presets import load_preset, parse_preset, preset_hash, preset_names
from spinexplain.errors import ConfigError

NAMES = {
    *("balanced", "demo", "hard", "hospital-like"),
    *("shifted-scanner", "shortcut", "shortcut-2", "verse-like"),
    *("balanced-2", "balanced-3", "placement", "verse-like-2"),
    *("wide", "wide-test", "wide-2", "wide-test-2"),
}


def test_all_presets_load():
    assert set(preset_names()) == NAMES
    assert {load_preset(name).name for name in preset_names()} == NAMES


def test_each_preset_has_its_own_hash_and_keeps_it():
    hashes = [preset_hash(name) for name in preset_names()]
    assert len(set(hashes)) == len(hashes)
    assert hashes == [preset_hash(name) for name in preset_names()]


def test_sections_that_came_later_leave_earlier_hashes():
    """Folders of phantoms are known by this hash; the sites came after ``hard``."""
    expected = "4079ea3b9315594631aaf982d5cb565e285558c392f42fb6c1a73fd42cca9681"
    assert preset_hash("hard") == expected


def test_ranges_and_plans_are_parsed():
    preset = parse_preset("p", {"fractures": {"plan": {"T9": 2}, "breach": 0}})
    assert preset.fractures.plan == (("T9", 2),)
    assert preset.fractures.breach == 0.0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"scaner": {}}, "unknown section 'scaner'"),
        ({"scanner": {"noise": [1, 2]}}, "unknown key 'noise'"),
    ],
)
def test_unknown_settings_are_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        parse_preset("mine", settings)


def test_unknown_preset_lists_the_known_ones():
    with pytest.raises(ConfigError, match="balanced, balanced-2, balanced-3, demo"):
        load_preset("nope")

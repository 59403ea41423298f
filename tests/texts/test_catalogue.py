import re
from importlib import resources
from pathlib import Path

import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError
from spinexplain.texts.catalogue import Catalogue, load_catalogue


@pytest.fixture
def say():
    return load_catalogue()


def test_every_key_the_report_asks_for_is_in_the_catalogue(say):
    package = Path(str(resources.files("spinexplain")))
    texts = [path.read_text() for path in (package / "ui" / "templates").iterdir()]
    for room in ("findings", "results", "ui", "report"):
        texts += [path.read_text() for path in (package / room).rglob("*.py")]
    asked = {
        key
        for text in texts
        for key in re.findall(r'\bsay\(\s*["\']([a-z_]+\.[a-z_.]+)["\'](?!\s*~)', text)
    }
    assert len(asked) > 40
    missing = {k for k in asked if k not in say.strings and f"{k}.many" not in say.strings}
    assert missing == set()


def test_one_and_many(say):
    assert say("strip.title", count=1) == "1 vertebra without suspicion"
    assert say("strip.title", count=3) == "3 vertebrae without suspicion"


def test_braces_in_what_is_filled_in_stay_as_they_are():
    assert Catalogue("en", {"a": "<{x}>"})("a", x="{x.__class__}") == "<{x.__class__}>"


def test_an_unknown_flag_is_shown_readable_and_a_known_one_in_words(say):
    assert say.flag("odd_thing: 4 mm") == "odd thing: 4 mm"
    assert say.flag("metal") == "metal in the body"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("T8 T9 T10 L1", "T8–T10, L1"),
        ("T11 T12 L1 L2", "T11–L2"),
        ("T12 T13 L1", "T12–L1"),
        ("L5 L4", "L4, L5"),
        ("", ""),
    ],
)
def test_runs_of_levels_become_ranges(say, names, expected):
    assert say.levels([VertebraLevel(name) for name in names.split()]) == expected


def test_lists_read_as_prose(say):
    assert say.listed(["a"]) == "a"
    assert say.listed(["a", "b", "c"]) == "a, b and c"


def test_an_unknown_language_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match=r"'xx'; expected one of en"):
        load_catalogue("xx")

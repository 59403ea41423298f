from dataclasses import replace

import pytest

from fixtures.localizers import NETWORKS, localization_of
from spinexplain.anatomy import VertebraLevel
from spinexplain.findings.naming import found_words, naming_words
from spinexplain.localizer.own import Found
from spinexplain.texts.catalogue import load_catalogue
from spinexplain.types import Vertebra

LEVELS = [VertebraLevel(name) for name in ("T12", "L1", "L2")]
SPINE = [Vertebra(level, (0.0, 0.0, -36.0 * i)) for i, level in enumerate(LEVELS)]
SHIFTED = [VertebraLevel(name) for name in ("L1", "L2", "L3")]


@pytest.fixture
def say():
    return load_catalogue()


def found(*arguments, **more):
    return Found(localization_of(SPINE, *arguments, **more), None, NETWORKS.info)


def test_certain_names_need_no_words(say):
    assert list(naming_words(found(1.0), say)) == []


def test_what_contradicts_the_names_is_said_first_and_of_certain_names_too(say):
    doubt = "17 bodies would be sacral. Is the scan upside down?"
    for probability in (1.0, 0.6):
        known = replace(localization_of(SPINE, probability), doubts=(doubt,))
        words = list(naming_words(Found(known, None, NETWORKS.info), say))
        assert words[0] == f"Check the names first: {doubt}"


def test_uncertain_names_say_why_what_else_and_how(say):
    other = found(0.6, landmarks=(), others=[(SHIFTED, 0.25)])
    words = list(naming_words(other, say, "spinexplain grade ct.nii --first-level L1 -o out"))
    assert "uppermost vertebra T12 (probability 60 % by its own account" in words[0]
    assert "Neither sacrum nor first rib" in words[1]
    assert "many names were a level or two off" in words[1]
    assert "L1, with 25 %" in words[2]
    assert words[3].endswith("“spinexplain grade ct.nii --first-level L1 -o out”.")


def test_a_longer_part_without_a_landmark_is_not_called_short(say):
    levels = [VertebraLevel(name) for name in ("T9", "T10", "T11", "T12", "L1", "L2", "L3")]
    spine = [Vertebra(level, (0.0, 0.0, -30.0 * k)) for k, level in enumerate(levels)]
    known = Found(localization_of(spine, 0.6, landmarks=()), None, NETWORKS.info)
    words = list(naming_words(known, say))
    assert words[1] == "Neither sacrum nor first rib is in view to count from."


def test_without_another_hypothesis_none_is_offered(say):
    assert len(list(naming_words(found(0.97, landmarks=()), say))) == 2


def test_hypotheses_that_begin_alike_are_counted_together(say):
    with_t13 = [VertebraLevel(name) for name in ("L1", "L2", "L4")]
    words = list(naming_words(found(0.5, others=[(SHIFTED, 0.25), (with_t13, 0.15)]), say))
    assert "L1, with 40 %" in words[1]


def test_what_was_found_and_what_is_cut(say):
    words = found_words(found(1.0, cut=(VertebraLevel.T12,)), say)
    assert words == ["Found 3 vertebrae: T12\u2013L2.", "Cut by the border of the scan: T12."]

from dataclasses import replace

import pytest

from spinexplain.report.atlas_words import figure_three, sentences, side_by_side
from spinexplain.texts.catalogue import load_catalogue


@pytest.fixture
def say():
    return load_catalogue()


def test_every_number_is_one_that_was_measured(make_atlas, say):
    place, work, travel, cosine = sentences(make_atlas(), say)
    assert "25 to 55 % lie on the target" in place
    assert "10 % of the crop" in place
    assert "at most 5 % lie on its posterior elements (5 % of the crop)" in place
    assert "G0 prototype 1 (90 %)" in work
    assert "0.00 to 1.50" in travel
    assert "1 of 4" in travel
    # Raw: G0 0 -> 1, G3 0 -> 0. Centered, before: (0, -1) and (-1, 0): 0; (-1, 2), (2, -1): -0.8.
    assert "0.00 on average before projection, 0.50 after" in cosine
    assert "have 0.97" in cosine
    assert "\N{MINUS SIGN}0.40 before, 0.07 after" in cosine


def test_a_class_shared_evenly(make_atlas, say):
    atlas = make_atlas()
    even = tuple(replace(item, winner_share=0.5) for item in atlas.prototypes)
    assert "50 %" in sentences(replace(atlas, prototypes=even), say)[1]
    assert "has a class to itself" in sentences(replace(atlas, prototypes=even), say)[1]


def test_what_is_not_known_is_not_said(make_atlas, say):
    atlas = make_atlas()
    bare = tuple(
        replace(item, structures={}, winner_share=None, travelled=None) for item in atlas.prototypes
    )
    atlas = replace(atlas, prototypes=bare, before=None, center=None, patch_cosine=None)
    assert sentences(atlas, say) == [
        "Raw cosine between prototypes of one class, after projection: 0.50 on average."
    ]


def test_one_prototype_a_class_has_no_cosine(make_atlas, say):
    atlas = make_atlas()
    one = replace(
        atlas,
        prototypes=atlas.prototypes[::2],
        before=atlas.before[::2],
        after=atlas.after[::2],
    )
    assert figure_three(one, say) == ""


def test_two_models_line_by_line(make_atlas, say):
    """Travelled 0, 0.5, 1, 1.5 with patches 1 apart; bodies 25 to 55 %; shares .9 .1 .5 .5."""
    atlas = make_atlas()
    lines = side_by_side(atlas, replace(atlas, before=None, patch_distance=None), say)
    shown = {line.what: line.values for line in lines}
    assert shown["Raw cosine within a class, before projection"] == ("0.00", "–")
    assert shown["Raw cosine within a class, after projection"] == ("0.50", "0.50")
    travelled = next(v for k, v in shown.items() if k.startswith("Travelled"))
    assert travelled == ("0.8 ×", "–")
    assert shown["Strongest 2 % of the maps on the target's body, mean"] == ("40 %", "40 %")
    assert shown["Prototypes nearest to at least 75 % of their class"] == ("1", "1")
    assert shown["Prototypes nearest to under 5 % of their class"] == ("0", "0")

from dataclasses import replace

import pytest

from spinexplain.explainers.dissection.names import NAMES_SCHEMA, RaterNames
from spinexplain.report.concepts_view import (
    partners_of,
    places_of,
    suggestion,
    view_unit,
    view_units,
)
from spinexplain.texts.catalogue import load_catalogue
from spinexplain.ui.pictures import Album

SAY = load_catalogue()


@pytest.fixture
def named(known_dissected):
    d = known_dissected.dissection
    said = [{"unit": 0, "name": "endplate", "meaningful": True, "note": "n"}, {"unit": 2}]
    content = {"schema": NAMES_SCHEMA, "key": d.key, "rater": "A", "names": said}
    return replace(d, names=(RaterNames.model_validate(content),))


def test_units_come_by_rank_with_their_pictures(named):
    album = Album()
    units = view_units(named, 10, album, SAY)
    assert [unit.rank for unit in units] == [1, 2, 3]
    first = units[0]
    assert len(first.tiles) == 4
    assert all(tile.contour for tile in first.tiles)
    assert first.tiles[0].relevance >= first.tiles[-1].relevance
    assert all(tile.picture.id in album.pictures for tile in first.tiles)
    assert first.figures["contrast"] == 1
    assert first.figures["false_positive"] is None
    assert units[2].sparse


def test_words_of_raters(named):
    first = view_unit(named, 0, Album(), SAY)
    assert (first.said.name, first.words[0].rater, first.words[0].note) == ("endplate", "A", "n")
    assert view_unit(named, 2, Album(), SAY).words == ()  # a rater who said nothing of it


def test_figures_alone_draw_no_pictures(named):
    album = Album()
    assert view_unit(named, 0, album, SAY, tiles=0).tiles == ()
    assert not album.pictures


def test_places_are_shares_of_the_mask(named):
    places = places_of(named, 0)
    assert [place.share for place in places] == sorted((p.share for p in places), reverse=True)
    assert places[0].region == "superior_endplate"
    assert places[0].lift > 10


def test_suggestions_are_in_words(named):
    assert suggestion(named, 0, SAY) == "superior endplate and disc above"
    assert suggestion(named, 4, SAY) == "planted mark"
    assert suggestion(named, 1, SAY) == ""


def test_partners_share_a_cluster(named):
    together = replace(named, clusters=named.statistics.rank * 0 + 1)
    assert set(partners_of(together, 0)) == {1, 2, 3, 4}
    assert partners_of(named, 1) == ()

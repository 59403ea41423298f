from dataclasses import replace

import numpy as np
import pytest

from spinexplain.analysis.atlas.record import Embedding
from spinexplain.report.atlas_view import cosines, known, view_map, view_matrices, view_model
from spinexplain.ui.pictures import Album


def test_cards_count_own_neighbors_and_say_how_far(make_atlas):
    view = view_model(make_atlas(), Album())
    assert [item.own_neighbors for item in view.prototypes] == [2, 1, 1, 2]
    assert [item.travelled_ratio for item in view.prototypes] == [0, 0.5, 1, 1.5]
    assert [item.short for item in view.prototypes] == ["1", "2", "1", "2"]


def test_connections_share_one_scale(make_atlas):
    """Widest is 2.5, so it fills its half of the axis."""
    view = view_model(make_atlas(), Album())
    widths = [link.width for item in view.prototypes for link in item.connections]
    assert max(widths) == 50
    assert view.prototypes[0].connections[0].width == pytest.approx(50 / 2.5)


def test_matrices_come_raw_first_and_before_first(make_atlas):
    shown = [(m.key, m.when) for m in view_matrices(make_atlas())]
    assert shown == [
        ("raw", "before"),
        ("raw", "after"),
        ("centered", "before"),
        ("centered", "after"),
    ]


def test_matrices_by_hand(make_atlas):
    """After projection G0's vectors are parallel; around (1, 1) they are not."""
    made = cosines(make_atlas())
    assert made["raw", "after"][0, 1] == pytest.approx(1)
    assert made["raw", "before"][0, 1] == pytest.approx(0)
    # (1, 0) and (3, 1) around the center: 3 / sqrt(10).
    assert made["centered", "after"][0, 1] == pytest.approx(3 / np.sqrt(10))


def test_without_a_run_or_a_cohort_fewer_matrices(make_atlas):
    atlas = replace(make_atlas(), before=None, center=None)
    assert [(m.key, m.when) for m in view_matrices(atlas)] == [("raw", "after")]


def test_cells_write_their_number_short_and_their_sign_once(make_atlas):
    atlas = replace(make_atlas(), before=None, center=None)
    angles = np.deg2rad([0, 60, 120, 90.0001])
    atlas = replace(atlas, after=np.stack([np.cos(angles), np.sin(angles)], axis=1))
    row = view_matrices(atlas)[0].rows[0]
    assert [cell.text for cell in row] == ["1", ".50", "\N{MINUS SIGN}.50", ".00"]
    assert [cell.sign for cell in row] == ["for", "for", "against", "against"]
    assert row[1].ink == 40


def test_the_sheet_keeps_lengths(make_atlas):
    atlas = make_atlas()
    plot = view_map(atlas.embedding, atlas)
    a, b, c = plot.patches
    assert np.hypot(b.x - a.x, b.y - a.y) == pytest.approx(
        2 * np.hypot(c.x - a.x, c.y - a.y), rel=0.01
    )
    assert all(0 <= p.x <= plot.width and 0 <= p.y <= plot.height for p in plot.prototypes)
    assert plot.prototypes[0].from_x != plot.prototypes[0].x
    assert plot.prototypes[2].from_x == plot.prototypes[2].x


def test_a_tall_or_pointlike_sheet_stays_on_the_paper(make_atlas):
    atlas = make_atlas()
    for points in (np.array([[0.0, 0], [0.1, 50]]), np.zeros((2, 2))):
        embedding = Embedding(points, ("G0", "G3"), None, np.zeros((4, 2)), (1.0, 0.0))
        plot = view_map(embedding, atlas)
        assert 100 < plot.height < 1000
        assert all(0 <= p.y <= plot.height for p in plot.patches)


def test_known():
    assert known(0.0)
    assert not known(None)
    assert not known(float("nan"))

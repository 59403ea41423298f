from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from fixtures.drawn_bodies import GAP_MM, block_scan, bright_levels, centers_of
from spinexplain.geometry import fit_curve
from spinexplain.localizer import center_chain
from spinexplain.localizer.center_chain import completed, cut_bodies, read_centers, settled_centers
from spinexplain.localizer.naming import STATES, NamingPrior
from spinexplain.types import Volume

PRIOR = NamingPrior(gap_mm=(GAP_MM,) * len(STATES))
LEVELS = ("T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4")
CENTERS = np.array(list(centers_of(LEVELS).values()))
CAUDAL = np.array([0.0, 0, -1])


def bright_body(x):
    """A stand-in for the body network: what is bright is body."""
    logits = np.where(x[:, 0] > 0.9, 9.0, -9.0)
    return np.stack([logits, -logits], axis=1)


def networks(levels=None):
    return SimpleNamespace(levels=levels or bright_levels(LEVELS), body=bright_body)


@pytest.fixture(scope="module")
def scan():
    return block_scan(centers_of(LEVELS), 2.0, np.array([50.0, 50.0, 20.0]))


def settled(scan, networks):
    curve = fit_curve(CENTERS + np.array([7.0, -6.0, 0.0]), CAUDAL)
    read = read_centers(scan, curve, networks, PRIOR)
    return settled_centers(scan, scan, read, networks, PRIOR)


def off(found):
    away = np.linalg.norm(CENTERS[:, None] - found.centers_mm[None], axis=2)
    return away.min(axis=1)


def test_centers_come_to_lie_in_the_middle_of_their_bodies(scan):
    found = settled(scan, networks())
    assert len(found.centers_mm) == len(LEVELS)
    assert off(found).max() < 1.0
    assert (np.diff(found.positions) > 0).all()


@pytest.mark.parametrize("hidden", [0, 3, 7])
def test_a_body_that_the_levels_network_misses_is_added(scan, hidden):
    """A center that is nowhere probable is found by the room that the others leave."""
    seen = bright_levels(LEVELS)

    def blind(x):
        answer = seen(x).copy()
        runs = answer[0, 5:].argmax(axis=0)
        answer[0, 0, runs == STATES.index(LEVELS[hidden])] = -9.0
        return answer

    found = settled(scan, networks(blind))
    assert len(found.centers_mm) == len(LEVELS)
    assert off(found).max() < 1.0


def read_without(scan, hidden, wide, seen):
    """Read the scan, leave a center out, and let its gap be that much wider than expected."""
    curve = fit_curve(CENTERS + np.array([0.0, 0.5, 0.0]), CAUDAL)
    read = read_centers(scan, curve, networks(), PRIOR)
    reading = read.reading
    if not seen:
        blind = replace(reading.seen, center=np.zeros_like(reading.seen.center))
        reading = replace(reading, seen=blind)
    usual = np.full(len(read.positions), 2 * GAP_MM / wide)
    read = replace(read, reading=reading, expected_mm=usual)
    return read.kept(np.arange(len(LEVELS)) != hidden)


@pytest.mark.parametrize(
    ("wide", "seen", "count"),
    [(2.0, False, 8), (1.4, True, 8), (1.4, False, 7), (1.2, True, 7)],
)
def test_in_a_gap_that_a_crushed_body_leaves_both_networks_have_to_see_one(scan, wide, seen, count):
    found = completed(scan, read_without(scan, 3, wide, seen), networks())
    assert len(found.positions) == count
    assert (off(found).max() < 1.0) == (count == 8)


@pytest.mark.parametrize(("seen", "count"), [(True, 8), (False, 7)])
def test_beyond_an_end_near_the_border_a_body_is_looked_for_nearer(scan, seen, count):
    read = read_without(scan, 7, 2.0, seen)
    stop = CENTERS[7, 2] - 4.0  # the usual distance beyond the last center is not in the scan
    first = int(np.ceil((stop - scan.affine[2, 3]) / 2.0))
    affine = scan.affine.copy()
    affine[2, 3] += 2.0 * first
    part = Volume(scan.array[:, :, first:], affine)
    read = replace(read, expected_mm=np.full(7, GAP_MM * 1.25))
    assert len(completed(part, read, networks()).positions) == count


def test_a_body_is_painted_once_where_it_was_read_beside_its_place(scan, monkeypatch):
    """Of the bodies painted in the first round none is painted again; centers do not change."""

    def counting(x):
        painted.append(len(x))
        return bright_body(x)

    both, counts = [], []
    for reach in (2.0, -1.0):
        painted = []
        monkeypatch.setattr(center_chain, "_SAME_PLACE_MM", reach)
        read_by = SimpleNamespace(levels=bright_levels(LEVELS), body=counting)
        both.append(settled(scan, read_by).middles_mm)
        counts.append(sum(painted))
    assert counts[0] < counts[1]
    np.testing.assert_allclose(both[0], both[1], atol=0.5)


def test_a_body_at_the_border_is_cut():
    scan = Volume(np.zeros((40, 40, 40), np.int16), np.diag([2.0, 2.0, 2.0, 1.0]))
    centers = np.array([[40.0, 40, 74], [40, 40, 44], [40, 40, 14]])
    gaps = np.array([30.0, 30.0])
    assert cut_bodies(scan, centers, gaps, 30.0).tolist() == [True, False, False]
    assert cut_bodies(scan, centers[:1], np.zeros(0), 30.0).tolist() == [True]

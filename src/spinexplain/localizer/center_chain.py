"""The chain of centers: read along the spine, then settled on the bodies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from spinexplain.geometry import BoxFrame, Curve, box_axes
from spinexplain.localizer.body_frame import BODY_SHAPE, BODY_STEP_MM
from spinexplain.localizer.centers import AlongSpine, center_positions
from spinexplain.localizer.naming import STATES, NamingPrior
from spinexplain.localizer.networks import Network
from spinexplain.localizer.reading import SpineReading, in_scan, read_spine
from spinexplain.localizer.refine import (
    BodyPlaces,
    apart,
    mask_place,
    on_line,
    onto_bodies,
    tangents,
    through_centers,
)
from spinexplain.localizer.section import arc_lengths
from spinexplain.localizer.segment import body_shares
from spinexplain.types import Volume

_HALF_BODY = 0.36  # of the distance of neighboring centers
_OUTSIDE_GAP_MM = 28.0
_GRADED = slice(STATES.index("T1"), STATES.index("S"))
_SAME_PLACE_MM = 2.0  # a crop about a center that far off shows the same body's middle
_MISSING = 0.6  # of the distance to expect: nearer than this a center is the same one
_MAYBE_GRADED = 0.3  # probability of a thoracic or lumbar level from which on a body is asked for
_SURE_BODY = 0.85  # mean probability inside a mask from which on it adds a body
_PAINTED_APART = 0.45  # of the distance to expect: a body painted nearer to a center is that one's
_WIDE_GAP, _WIDER_GAP = 1.55, 1.25  # of it: there a body may be missing, and there a crushed one
_BEYOND, _NEAR_BEYOND = 1.0, 0.7  # of it, beyond the ends; the second where the first is not seen
_CRUSHED_SEEN, _NEAR_SEEN = 0.65, 0.25  # probability of a center that such a body needs besides
_AROUND = 2  # positions on either side of a painted body in which its center may have been seen


class Networks(Protocol):
    """The networks that find and name."""

    @property
    def curve(self) -> object:
        """From densities (1, 1, X, Y, Z) to logits (1, 4, X, Y, Z)."""
        ...

    @property
    def levels(self) -> object:
        """From densities (1, 1, S, 56, 60) to answers (1, 33, S)."""
        ...

    @property
    def body(self) -> object:
        """From a crop to the body in its middle, or None: then centers stay as they are read."""
        ...


@dataclass(frozen=True, eq=False)
class ReadCenters:
    """Centers along the spine.

    Parameters
    ----------
    reading : SpineReading
        What the levels network saw.
    positions : ndarray of int, shape (k,)
        In the reading, cranial to caudal.
    centers_mm : ndarray, shape (k, 3)
        RAS+ mm.
    middles_mm : ndarray, shape (k, 3)
        The same bodies' middles, halfway between their walls; the centers where they are not
        known.
    expected_mm : ndarray, shape (k,)
        Distance to expect to the neighbors.
    """

    reading: SpineReading
    positions: np.ndarray
    centers_mm: np.ndarray
    middles_mm: np.ndarray
    expected_mm: np.ndarray

    def kept(self, which: np.ndarray) -> ReadCenters:
        """Return some of the centers, by index or flag."""
        return ReadCenters(
            self.reading,
            self.positions[which],
            self.centers_mm[which],
            self.middles_mm[which],
            self.expected_mm[which],
        )

    def with_more(self, places: BodyPlaces, expected_mm: np.ndarray) -> ReadCenters:
        """Return the centers with others among them, in order along the spine."""
        frame = self.reading.frame
        s = arc_lengths(frame)
        at = np.abs(s[:, None] - frame.curve.nearest(places.means_mm)[None]).argmin(axis=0)
        both = ReadCenters(
            self.reading,
            np.r_[self.positions, at],
            np.vstack([self.centers_mm, places.means_mm]),
            np.vstack([self.middles_mm, places.middles_mm]),
            np.r_[self.expected_mm, expected_mm],
        )
        return both.kept(np.argsort(both.positions, kind="stable"))


def read_centers(
    coarse: Volume, curve: Curve, networks: Networks, prior: NamingPrior, passes: int = 2
) -> ReadCenters | None:
    """Read a scan along a curve and choose the centers; None where there are none.

    Parameters
    ----------
    coarse : Volume
        At about 2 mm.
    curve : Curve
    networks : Networks
    prior : NamingPrior
        Says which distances to expect.
    passes : int
        See :func:`~spinexplain.localizer.reading.read_spine`.
    """
    reading = read_spine(coarse, curve, networks.levels, passes)  # type: ignore[arg-type]
    expected = expected_gaps(reading.seen, prior)
    positions = center_positions(reading.seen, reading.inside, expected, reading.frame.spacing_mm)
    if not len(positions):
        return None
    centers = reading.centers_mm(positions)
    return ReadCenters(reading, positions, centers, centers, expected[positions])


def settled_centers(
    volume: Volume, coarse: Volume, read: ReadCenters, networks: Networks, prior: NamingPrior
) -> ReadCenters:
    """Settle centers on the bodies that the body network paints around them.

    Parameters
    ----------
    volume : Volume
        The scan as it is.
    coarse : Volume
        At about 2 mm.
    read : ReadCenters
    networks : Networks
    prior : NamingPrior

    Notes
    -----
    Every second center is moved onto its body first; along the line through these the spine
    is read once more, which sees what a reading beside the spine does not. Then all centers
    are moved; one that was read within 2 mm of a body that was painted is that body's. Where the
    chain leaves room for another body, at its ends or in a wide gap, the network is asked for one.
    """
    first, painted = _moved(volume, read, networks, every=2)
    if not len(first.positions):
        return read
    curve = through_centers(read.reading.frame.curve, first.centers_mm)
    again = read_centers(coarse, curve, networks, prior, passes=1)
    both = first if again is None else _joined(again, first)
    settled, _ = _moved(volume, both, networks, every=1, known=painted)
    return completed(volume, settled, networks)


def _joined(read: ReadCenters, before: ReadCenters) -> ReadCenters:
    """Add centers that were found before and are missing now."""
    missing = _far(before.centers_mm, read.centers_mm, before.expected_mm)
    places = BodyPlaces(before.centers_mm[missing], before.middles_mm[missing])
    return read.with_more(places, before.expected_mm[missing])


def _far(
    centers_mm: np.ndarray, from_mm: np.ndarray, expected_mm: np.ndarray, share: float = _MISSING
) -> np.ndarray:
    away = np.linalg.norm(centers_mm[:, None] - from_mm[None], axis=2).min(axis=1)
    return np.asarray(away > share * expected_mm)


def _moved(
    volume: Volume,
    read: ReadCenters,
    networks: Networks,
    every: int,
    known: BodyPlaces | None = None,
) -> tuple[ReadCenters, BodyPlaces]:
    """Move thoracic and lumbar centers onto their bodies; those left unmoved are left out.

    Bodies whose place is known are not painted again. Those that were painted whole are returned
    beside the centers.
    """
    seen = read.reading.seen
    graded = seen.levels[read.positions][:, _GRADED].sum(axis=1) > _MAYBE_GRADED
    asked = np.flatnonzero(graded)
    chosen = np.union1d(asked[::every], asked[-1:])
    cut = cut_of(volume, read)
    places = _known_places(read.centers_mm, ~cut, known)
    still = chosen[(places.means_mm[chosen] == read.centers_mm[chosen]).all(axis=1)]
    network: Network = networks.body  # type: ignore[assignment]
    places = onto_bodies(volume, places, cut, network, still.tolist())
    centers = places.means_mm
    left = ~graded
    left[chosen] = True
    found = np.where(left, seen.center[read.positions], -1.0)
    kept = np.flatnonzero(left & apart(centers, found, read.expected_mm))
    kept = kept[on_line(centers[kept])]
    moved = replace(read, centers_mm=centers, middles_mm=places.middles_mm).kept(kept)
    whole = (centers != read.centers_mm).any(axis=1) & ~cut
    return moved, BodyPlaces(centers[whole], places.middles_mm[whole])


def _known_places(
    centers_mm: np.ndarray, which: np.ndarray, known: BodyPlaces | None
) -> BodyPlaces:
    """Put some centers where a body is known to lie within 2 mm; the others stay."""
    if known is None or not len(known.means_mm):
        return BodyPlaces(centers_mm, centers_mm)
    away = np.linalg.norm(centers_mm[:, None] - known.means_mm[None], axis=2)
    near = (which & (away.min(axis=1) <= _SAME_PLACE_MM))[:, None]
    at = away.argmin(axis=1)
    means, middles = known.means_mm[at], known.middles_mm[at]
    return BodyPlaces(np.where(near, means, centers_mm), np.where(near, middles, centers_mm))


@dataclass(frozen=True, eq=False)
class _Place:
    """Where another body may be.

    Parameters
    ----------
    at_mm : ndarray, shape (3,)
    expected_mm : float
        Distance to expect to the neighbors.
    least : float
        How probable the levels network has to call a center there.
    """

    at_mm: np.ndarray
    expected_mm: float
    least: float = 0.0


def completed(volume: Volume, read: ReadCenters, networks: Networks) -> ReadCenters:
    """Add bodies that the network paints at the ends of the chain and in its wide gaps.

    Parameters
    ----------
    volume : Volume
    read : ReadCenters
        Settled.
    networks : Networks

    Notes
    -----
    A crushed body leaves a gap that is hardly wider than usual. In such a gap a painted body is
    taken only where the levels network saw a center, too.
    """
    places = [one for one in _places(volume, read) if in_scan(volume, one.at_mm)]
    if not places:
        return read
    network: Network = networks.body  # type: ignore[assignment]
    frames = [_frame_at(one.at_mm, read) for one in places]
    shares = body_shares(volume, frames, network)
    more = [_sure_place(share, frame) for share, frame in zip(shares, frames, strict=True)]
    there = [k for k, one in enumerate(more) if one is not None]
    found = np.array([more[k] for k in there]).reshape(-1, 2, 3)
    expected = np.array([places[k].expected_mm for k in there])
    least = np.array([places[k].least for k in there])
    new = _new(volume, read, found[:, 0], expected, least)
    if not new.any():
        return read
    return read.with_more(BodyPlaces(found[new, 0], found[new, 1]), expected[new])


def _new(
    volume: Volume,
    read: ReadCenters,
    centers_mm: np.ndarray,
    expected_mm: np.ndarray,
    least: np.ndarray,
) -> np.ndarray:
    """Say which painted bodies lie in the scan, are no center's yet, and were seen enough."""
    apart_mm = _far(centers_mm, read.centers_mm, expected_mm, _PAINTED_APART)
    seen = _center_seen(read, centers_mm) >= least
    return np.asarray(in_scan(volume, centers_mm) & apart_mm & seen)


def _center_seen(read: ReadCenters, centers_mm: np.ndarray) -> np.ndarray:
    """Return the highest probability of a center that was read near each place, shape (k,)."""
    frame, probability = read.reading.frame, read.reading.seen.center
    s = arc_lengths(frame)
    at = np.abs(s[:, None] - frame.curve.nearest(centers_mm)[None]).argmin(axis=0)
    near = np.clip(at[:, None] + np.arange(-_AROUND, _AROUND + 1), 0, len(s) - 1)
    return np.asarray(probability[near].max(axis=1))


def _places(volume: Volume, read: ReadCenters) -> list[_Place]:
    """Return where another body may be: in wide gaps, and beyond the ends."""
    centers, expected = read.centers_mm, read.expected_mm
    if len(centers) < 2:
        return []
    along = np.diff(centers, axis=0)
    gaps = np.linalg.norm(along, axis=1)
    wide = gaps / ((expected[:-1] + expected[1:]) / 2)
    places = [
        _Place(centers[k] + along[k] / 2, float(expected[k]), _least(wide[k]))
        for k in np.flatnonzero(wide > _WIDER_GAP)
    ]
    graded = read.reading.seen.levels[read.positions][:, _GRADED].sum(axis=1) > _MAYBE_GRADED
    ends = ((0, -along[0] / gaps[0]), (-1, along[-1] / gaps[-1]))
    more = [_beyond(volume, centers[k], away, expected[k]) for k, away in ends if graded[k]]
    return places + more


def _least(wide: float) -> float:
    return 0.0 if wide > _WIDE_GAP else _CRUSHED_SEEN


def _beyond(volume: Volume, end_mm: np.ndarray, away: np.ndarray, expected_mm: float) -> _Place:
    """Return the place beyond an end of the chain; a nearer one where that is not in the scan."""
    usual = end_mm + _BEYOND * expected_mm * away
    if in_scan(volume, usual):
        return _Place(usual, float(expected_mm))
    return _Place(end_mm + _NEAR_BEYOND * expected_mm * away, float(expected_mm), _NEAR_SEEN)


def _frame_at(place_mm: np.ndarray, read: ReadCenters) -> BoxFrame:
    """Return the crop about a place, along the spine between the two nearest centers."""
    order = np.argsort(np.linalg.norm(read.centers_mm - place_mm, axis=1))[:2]
    along = tangents(read.centers_mm)[order].mean(axis=0)
    return BoxFrame(place_mm, box_axes(along), BODY_SHAPE, BODY_STEP_MM)


def _sure_place(share: np.ndarray, frame: BoxFrame) -> np.ndarray | None:
    """Return mean and middle of a body that is painted surely, (2, 3) mm, or None."""
    if not (share > 0.5).any() or float(share[share > 0.5].mean()) < _SURE_BODY:
        return None
    return mask_place(share, frame)


def cut_of(volume: Volume, read: ReadCenters) -> np.ndarray:
    """Say which of the centers' bodies the border of the scan cuts, bool, shape (k,)."""
    gaps = np.linalg.norm(np.diff(read.centers_mm, axis=0), axis=1)
    return cut_bodies(volume, read.centers_mm, gaps, float(read.expected_mm.mean()))


def expected_gaps(seen: AlongSpine, prior: NamingPrior) -> np.ndarray:
    """Return the distance of neighboring centers to expect at every position, mm."""
    gaps = np.r_[np.array(prior.gap_mm), _OUTSIDE_GAP_MM]
    return seen.levels @ gaps


def cut_bodies(
    volume: Volume, centers_mm: np.ndarray, gaps_mm: np.ndarray, alone_mm: float
) -> np.ndarray:
    """Say which bodies reach beyond the scan above or below, bool, shape (k,).

    Parameters
    ----------
    volume : Volume
    centers_mm : ndarray, shape (k, 3)
    gaps_mm : ndarray, shape (k - 1,)
    alone_mm : float
        Gap to assume where there is one center only.
    """
    if len(gaps_mm):
        gaps = np.r_[gaps_mm[0], gaps_mm, gaps_mm[-1]]
        size = np.minimum(gaps[:-1], gaps[1:])[:, None] * _HALF_BODY
        along = np.gradient(centers_mm, axis=0)
        along = along / np.linalg.norm(along, axis=1, keepdims=True)
    else:
        size, along = np.full((1, 1), alone_mm * _HALF_BODY), np.array([[0.0, 0.0, -1.0]])
    ends = np.stack([centers_mm - along * size, centers_mm + along * size])
    return np.asarray(~in_scan(volume, ends).all(axis=0))

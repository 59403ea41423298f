"""Which rows a step learns from: functions of seed, epoch and step alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.errors import ConfigError


@dataclass(frozen=True, eq=False)
class StepRows:
    """The rows of one step.

    Parameters
    ----------
    index : ndarray of int, shape (n,)
    epoch : int
    copies : ndarray of int, shape (n,)
        0 for a row's first time in its epoch, 1 for its second, and so on.
    """

    index: np.ndarray
    epoch: int
    copies: np.ndarray


def part_shares(
    labels: np.ndarray, displacement_mm: np.ndarray, twins: np.ndarray, twin_share: float
) -> np.ndarray:
    """Return how likely each row is drawn when every part of the body is to be seen.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
        0 healthy.
    displacement_mm : ndarray, shape (N, 12)
        Of the superior, then of the inferior endplate; NaN where unknown.
    twins : ndarray of bool, shape (N,)
        Healthy twins of fractured rows.
    twin_share : float

    Returns
    -------
    ndarray of float, shape (N,)
        Sum 1. Half go to fractures: to every class alike, and in it alike to those with at
        least 70 % of the displacement on the superior endplate, on the inferior one, and to
        the others; groups without a row pass their share on.

    Examples
    --------
    >>> moved = np.array([[0.0] * 12, [1.0] * 6 + [0.0] * 6, [1.0] * 6 + [0.0] * 6])
    >>> part_shares(np.array([0, 1, 1]), moved, np.zeros(3, bool), 0.0).tolist()
    [0.5, 0.25, 0.25]
    """
    total = displacement_mm.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        superior = displacement_mm[:, :6].sum(axis=1) / total
    side = np.where(superior >= 0.7, 0, np.where(superior <= 0.3, 1, 2))
    shares = np.zeros(len(labels))
    twin_share = twin_share if twins.any() else 0.0
    shares[twins] = twin_share / max(int(twins.sum()), 1)
    healthy = (labels == 0) & ~twins
    shares[healthy] = (0.5 - twin_share) / max(int(healthy.sum()), 1)
    fractured = [(labels == c) & ~twins for c in np.unique(labels) if c > 0]
    groups = [[rows & (side == k) for k in range(3)] for rows in fractured]
    for kinds in groups:
        found = [rows for rows in kinds if rows.any()]
        for rows in found:
            shares[rows] = 0.5 / len(groups) / len(found) / rows.sum()
    return shares / shares.sum()


def part_rows(shares: np.ndarray, batch: int, key: tuple[int, int], step: int) -> np.ndarray:
    """Draw the rows of a step by their shares, none twice, by key and step alone."""
    rng = np.random.default_rng([*key, step, 7])
    return rng.choice(len(shares), min(batch, int((shares > 0).sum())), replace=False, p=shares)


def crops_per_class(labels: np.ndarray, epoch: str) -> int:
    """Return how many crops of each class a balanced epoch holds.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
        Class of every row, 0 to K - 1.
    epoch : str
        ``"rarest"`` or ``"mean"``, as in ``EpochSettings``.

    Raises
    ------
    ConfigError
        If ``epoch`` is neither.

    Examples
    --------
    >>> labels = np.array([0, 0, 0, 0, 0, 1])
    >>> crops_per_class(labels, "rarest"), crops_per_class(labels, "mean")
    (1, 3)
    """
    counts = np.bincount(labels)
    sizes = {"rarest": int(counts.min()), "mean": round(float(counts.mean()))}
    if epoch not in sizes:
        raise ConfigError(f'[detector] epoch is "{epoch}"; expected "rarest" or "mean".')
    return sizes[epoch]


def balanced_epoch(
    labels: np.ndarray, per_class: int, seed: int, epoch: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw an epoch with exactly ``per_class`` crops of every class, shuffled.

    A class with more rows is undersampled without replacement, anew in each epoch; of one
    with fewer every row comes equally often, to within one.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
    per_class : int
    seed, epoch : int

    Returns
    -------
    rows, copies : ndarray of int, shape (K x per_class,)

    Examples
    --------
    >>> rows, copies = balanced_epoch(np.array([0, 0, 0, 1]), 2, seed=0, epoch=0)
    >>> sorted(zip(rows[rows == 3].tolist(), copies[rows == 3].tolist()))
    [(3, 0), (3, 1)]
    """
    rng = np.random.default_rng([seed, 4, epoch])
    rows, copies = [], []
    for index in np.unique(labels):
        members = np.flatnonzero(labels == index)
        rounds = -(-per_class // len(members))
        drawn = np.concatenate([rng.permutation(members) for _ in range(rounds)])[:per_class]
        rows.append(drawn)
        copies.append(np.arange(per_class) // len(members))
    order = rng.permutation(per_class * len(rows))
    return np.concatenate(rows)[order], np.concatenate(copies)[order]


def steps_per_epoch(labels: np.ndarray, per_class: int, batch: int) -> int:
    """Return the steps of a balanced epoch: every crop is used, no batch is over ``batch``."""
    return int(-(-per_class * len(np.unique(labels)) // batch))


def balanced_step(labels: np.ndarray, per_class: int, batch: int, seed: int, step: int) -> StepRows:
    """Return the rows of a step; the batches of an epoch differ by one crop at most."""
    steps = steps_per_epoch(labels, per_class, batch)
    epoch, place = divmod(step, steps)
    rows, copies = balanced_epoch(labels, per_class, seed, epoch)
    return StepRows(np.array_split(rows, steps)[place], epoch, np.array_split(copies, steps)[place])


def batch_rows(n: int, batch: int, step: int, key: tuple[int, int]) -> tuple[np.ndarray, int]:
    """Return the rows of a step and its epoch: shuffled anew each epoch, by key alone.

    Examples
    --------
    >>> rows, epoch = batch_rows(10, 4, 2, (0, 0))
    >>> len(rows), epoch
    (4, 1)
    """
    batch = min(batch, n)
    epoch, place = divmod(step, n // batch)
    order = np.random.default_rng([*key, epoch]).permutation(n)
    return order[place * batch : (place + 1) * batch], epoch


def balanced_rows(
    labels: np.ndarray, batch: int, step: int, key: tuple[int, int]
) -> tuple[np.ndarray, int]:
    """Return the rows of a step when every class is shown equally often, and its epoch.

    Each class is gone through in a shuffled order, again and again; an epoch has as many
    rows as the set, rounded up to whole turns of the classes.

    Examples
    --------
    >>> rows, _ = balanced_rows(np.array([0, 0, 0, 0, 0, 1]), 6, 0, (0, 0))
    >>> int(np.sum(rows == 5))
    3
    """
    classes = np.unique(labels)
    share = -(-len(labels) // len(classes))
    n = share * len(classes)
    batch = min(batch, n)
    epoch, place = divmod(step, n // batch)
    rng = np.random.default_rng([*key, epoch, 1])
    turns = []
    for index in classes:
        rows = np.flatnonzero(labels == index)
        rounds = [rng.permutation(rows) for _ in range(-(-share // len(rows)))]
        turns.append(np.concatenate(rounds)[:share])
    order = np.concatenate(turns)[rng.permutation(n)]
    return order[place * batch : (place + 1) * batch], epoch

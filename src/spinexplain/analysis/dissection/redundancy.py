"""Units that say the same: clusters by correlation."""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform


def redundancy_clusters(
    correlation: np.ndarray, rank: np.ndarray, at_least: float = 0.7
) -> np.ndarray:
    """Group units that light up together.

    Parameters
    ----------
    correlation : ndarray, shape (U, U)
        Of the units over all cells of all samples: units that answer to the same bone in
        different places are not redundant.
    rank : ndarray of int, shape (U,)
        1 for the first; units of rank 0 belong to no cluster.
    at_least : float
        Units of one cluster correlate this much on average (average linkage).

    Returns
    -------
    ndarray of int, shape (U,)
        Number of the cluster, 1 for that of the first-ranked unit; 0 for set aside units.

    Examples
    --------
    >>> correlation = np.array([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]])
    >>> redundancy_clusters(correlation, np.array([2, 3, 1])).tolist()
    [2, 2, 1]
    """
    used = np.flatnonzero(rank > 0)
    clusters = np.zeros(len(rank), np.int64)
    if len(used) < 2:
        clusters[used] = 1
        return clusters
    distances = np.clip(1 - correlation[np.ix_(used, used)], 0.0, 2.0)
    distances = (distances + distances.T) / 2
    np.fill_diagonal(distances, 0.0)
    tree = linkage(squareform(distances, checks=False), "average")
    labels = fcluster(tree, 1 - at_least + 1e-9, "distance")
    numbers: dict[int, int] = {}
    for position in np.argsort(rank[used]):
        label = int(labels[position])
        clusters[used[position]] = numbers.setdefault(label, len(numbers) + 1)
    return clusters

import numpy as np

from spinexplain.analysis.dissection.redundancy import redundancy_clusters


def test_copies_share_a_cluster_and_opposites_do_not():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(500, 3))
    values = np.stack([base[:, 0], 2 * base[:, 0] + 1, base[:, 1], -base[:, 0], base[:, 2]], 1)
    clusters = redundancy_clusters(np.corrcoef(values.T), np.array([3, 2, 1, 5, 4]))
    assert clusters[2] == 1  # of the first-ranked unit
    assert clusters[0] == clusters[1] == 2
    assert len(set(clusters.tolist())) == 4


def test_units_set_aside_and_lone_units():
    correlation = np.eye(3)
    assert redundancy_clusters(correlation, np.array([0, 1, 0])).tolist() == [0, 1, 0]
    assert redundancy_clusters(correlation, np.zeros(3, int)).tolist() == [0, 0, 0]

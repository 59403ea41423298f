"""Boxes that stay on disk: what they give is what reading all of them gives."""

import numpy as np
import pytest

from spinexplain.data.cohort import Cohort
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.crops.dataset import joined
from spinexplain.data.crops.on_disk import StoredPatches
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.data.schema import KINDS
from spinexplain.data.shard import SeriesShard, VertebraRow

SHAPE = KINDS["patches_3d"].shape


def cohort(folder, values):
    """Write a cohort of two series whose boxes hold one number each."""
    writer = CohortWriter.create(folder)
    for series, numbers in enumerate((values[:2], values[2:])):
        rows = [VertebraRow("L1", grade=f"G{n % 4}", loss=0.1, synthetic=True) for n in numbers]
        hu = np.stack([np.full(SHAPE, number, np.int16) for number in numbers])
        writer.add_series(SeriesShard(f"s{series}", f"s{series}", rows, {"patches_3d": hu}))
    return writer.finish()


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Return the sets of two cohorts and the numbers of their boxes together."""
    folder = tmp_path_factory.mktemp("boxes")
    numbers = [[4, 1, 2, 3, 8], [12, 6, 7]]
    for name, values in zip("ab", numbers, strict=True):
        cohort(folder / name, values)
    sets = [set_from_cohort(Cohort.open(folder / name), axes=3) for name in "ab"]
    return sets, numbers


def numbers_of(patches):
    return [int(patches[i][0, 0, 0]) for i in range(len(patches))]


def test_boxes_of_a_cohort_stay_on_disk_and_are_read_by_row(both):
    data, numbers = both[0][0], both[1][0]
    assert isinstance(data.patches_hu, StoredPatches)
    assert data.patches_hu.shape == (5, *SHAPE)
    assert numbers_of(data.patches_hu) == numbers
    read = data.patches_hu[np.array([4, 0, 4])]
    assert (read.dtype, read.shape) == (np.int16, (3, *SHAPE))
    assert numbers_of(read) == [8, 4, 8]
    assert data.patches_hu[:0].shape == (0, *SHAPE)
    with pytest.raises(IndexError):
        data.patches_hu[5]


def test_rows_taken_and_sets_joined_stay_on_disk(both):
    sets, numbers = both
    kept = sets[0].take(sets[0].grades != 2)
    assert isinstance(kept.patches_hu, StoredPatches)
    assert numbers_of(kept.patches_hu) == [4, 1, 3, 8]
    whole = joined([kept, sets[1], sets[0]])
    assert numbers_of(whole.patches_hu) == [4, 1, 3, 8, *numbers[1], *numbers[0]]
    assert numbers_of(whole.take(np.array([5, 0])).patches_hu) == [6, 4]
    assert whole.grades.tolist() == [n % 4 for n in numbers_of(whole.patches_hu)]

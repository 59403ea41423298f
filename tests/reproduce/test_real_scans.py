from pathlib import Path

import numpy as np
import pytest

from spinexplain.errors import FileFormatError
from spinexplain.reproduce.real_scans import WHOLE, real_scan

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize("name", WHOLE)
def test_a_scan_has_what_locates_its_levels(name):
    scan = real_scan(DATA, name)
    assert (scan.labels is None) != (scan.centroids is None)
    assert np.issubdtype(scan.volume.array.dtype, np.number)
    assert scan.simulation_mask.array.any()


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="tests/data"):
        real_scan(tmp_path, "lumbar")

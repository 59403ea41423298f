import numpy as np
import pytest

from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce.transfer import measure
from spinexplain.reproduce.transfer.baselines import PixelRegression
from spinexplain.reproduce.transfer.phantoms import prepared_phantom
from spinexplain.reproduce.transfer.prepared import write_prepared


@pytest.fixture(scope="module")
def table(tmp_path_factory, lumbar_scan):
    path = tmp_path_factory.mktemp("prepared") / "a.npz"
    scan, ready = prepared_phantom(lumbar_scan, measured=True)
    write_prepared(path, {"group": "hard", **scan}, ready)
    pixels = PixelRegression(np.zeros(196), -1.0, 0.0, 0.1, 0)
    return measure.phantom_table(load_grader("protoverse-phantom"), [path], pixels)


def test_a_graded_phantom_is_a_row_a_vertebra(table, lumbar_scan):
    assert table["level"].tolist() == [v.level.value for v in lumbar_scan.image.vertebrae
                                       if v.level.is_graded]  # fmt: skip
    assert (table["pixels"] == -1).all()
    measured = table[table["height_loss"].notna()]
    assert len(measured) > 5
    assert measured.loc[measured["grade"] >= 2, "height_loss"].min() > 0.15

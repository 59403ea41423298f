import numpy as np
import pandas as pd
from PIL import Image

from spinexplain.reproduce.transfer.pictures import found_by_loss, simulated_gallery, worst
from spinexplain.reproduce.transfer.prepared import Prepared, write_prepared


def test_the_surest_errors_come_first():
    table = pd.DataFrame(
        {
            "assessed": [True] * 4 + [False],
            "unplanted": [True, True, False, False, True],
            "fractured": [True, True, False, False, True],
            "shape": ["none", "none", "wedge", "wedge", "none"],
            "grade": [0, 0, 2, 3, 0],
            "score": [0.6, 0.9, 0.3, 0.1, 1.0],
        }
    )
    found = worst(table)
    assert found["false-fractures"].index.tolist() == [1, 0]
    assert found["missed-fractures"].index.tolist() == [3, 2]


def test_missed_simulated_fractures_are_shown(tmp_path):
    write_prepared(tmp_path / "a.npz", {}, [Prepared({}, np.zeros((112, 112), np.float32))])
    row = {
        "called": "G0",
        "level": "L2",
        "fractures": [["L2", "wedge", 0.35, 1]],
        "file": str(tmp_path / "a.npz"),
        "at": 0,
        "scores": [0.8, 0.2, 0.0],
        "source": "lumbar",
    }
    out = tmp_path / "missed.png"
    assert simulated_gallery([row], out)
    assert Image.open(out).size[0] > 1000
    assert not simulated_gallery([row | {"called": "G2"}], out)
    assert not out.exists()


def test_found_shares_are_drawn(tmp_path):
    rows = [{"from": 0.2, "to": 0.3, "n": 3, "value": 0.5, "low": 0.1, "high": 0.9},
            {"from": 0.3, "to": 0.4, "n": 0, "value": None, "low": None, "high": None}]  # fmt: skip
    found_by_loss({"hard": {"by_loss": rows}}, tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").size == (768, 432)

import json
from pathlib import Path

import pytest

from spinexplain.jobs.batch.drift import WHAT, read_training
from spinexplain.reproduce.training_values import SHEETS, TAKEN, stored_at

CHECKOUT = Path(__file__).parents[2]


def test_the_package_holds_what_was_measured(tmp_path):
    """Quantiles that rise, of classes that the model has; sheets know no spacing."""
    assert TAKEN[0] / TAKEN[1] == pytest.approx(28 / 16, rel=0.02)
    assert [name for name, *_ in SHEETS] == ["balanced", "hospital-like"]
    (one,) = json.loads(stored_at(CHECKOUT).read_text())
    path = tmp_path / "one.json"
    path.write_text(json.dumps(one))
    known = read_training(path)
    assert known.vertebrae == sum(TAKEN)
    assert set(known.values) == set(WHAT) - {"spacing_x_mm", "spacing_z_mm"}
    for by_class in known.values.values():
        assert set(by_class) <= {"G0", "G2", "G3"}
        assert all(list(row) == sorted(row) for row in by_class.values())

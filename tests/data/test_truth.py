import json

import pytest

from spinexplain.data.shard import VertebraRow
from spinexplain.data.truth import TRUTH_SCHEMA, PhantomTruth, read_truth, with_truth
from spinexplain.errors import FileFormatError

DOCUMENT = {
    "schema": TRUTH_SCHEMA,
    "seed": 3,
    "vertebrae": [{"level": "L1", "loss": 0.31}, {"level": "L2", "loss": 0.0}],
}


def write(tmp_path, document):
    path = tmp_path / "sub-phantom0001_truth.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_seed_and_losses(tmp_path):
    truth = read_truth(write(tmp_path, DOCUMENT))
    assert truth == PhantomTruth(3, {"L1": 0.31, "L2": 0.0})


def test_rows_are_completed_by_level():
    rows = with_truth([VertebraRow("L2"), VertebraRow("L3")], PhantomTruth(3, {"L2": 0.2}))
    assert [(row.synthetic, row.seed, row.loss) for row in rows] == [
        (True, 3, 0.2),
        (True, 3, None),
    ]


@pytest.mark.parametrize(
    "document",
    ["", "[]", "{", DOCUMENT | {"vertebrae": [{"level": "L1"}]}, DOCUMENT | {"seed": "many"}],
)
def test_broken_truth_is_named(tmp_path, document):
    with pytest.raises(FileFormatError, match=r"truth\.json"):
        read_truth(write(tmp_path, document))


def test_another_schema(tmp_path):
    with pytest.raises(FileFormatError, match="phantom-truth/9"):
        read_truth(write(tmp_path, DOCUMENT | {"schema": "spinexplain/phantom-truth/9"}))

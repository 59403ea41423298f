import csv
from pathlib import Path

import pytest

from spinexplain.errors import OutputError
from spinexplain.jobs.measure import COLUMNS, MeasureRequest, measure_to_csv

EXAMPLE = Path(__file__).parent.parent / "data" / "totalsegmentator-example"
CT = EXAMPLE / "example_ct.nii.gz"
MASK = EXAMPLE / "totalseg_vertebrae_pp_refined.nii.gz"


def test_a_row_for_every_level_that_is_counted(tmp_path, listener):
    out = tmp_path / "heights.csv"
    measured, left_out = measure_to_csv(MeasureRequest(CT, MASK, out), listener)
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert measured == len(rows) > 3
    assert list(rows[0]) == COLUMNS
    by_level = {row["level"]: row for row in rows}
    assert 60 < float(by_level["L1"]["trabecular_hu"]) < 260
    assert float(by_level["L1"]["aorta_hu"]) < 100  # a plain CT
    assert by_level["L1"]["kv"] == ""  # NIfTI does not say
    assert not {row["level"] for row in rows} & set(left_out)
    assert listener.stages == ["read", "heights", "write"]


def test_an_existing_table_is_kept(tmp_path):
    out = tmp_path / "heights.csv"
    out.write_text("precious")
    with pytest.raises(OutputError, match="exists"):
        measure_to_csv(MeasureRequest(CT, MASK, out))
    assert out.read_text() == "precious"

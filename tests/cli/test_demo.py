import json

import pytest


@pytest.mark.slow
def test_the_tour_writes_four_reports(spinexplain, tmp_path):
    out = tmp_path / "demo"
    ended = spinexplain("demo", "-o", out)
    assert ended.code == 0, ended.err
    for name in ("lumbar", "thoracic", "bare", "phantom"):
        assert str(out / name / "report.html") in ended.out
        assert (out / name / "report.html").stat().st_size > 10_000
    result = json.loads((out / "phantom" / "result.json").read_text())
    grades = {
        row["level"]: row["heights"]["class"] for row in result["vertebrae"] if row["heights"]
    }
    # Planted: T9 and L2 moderate, T12 severe. The heights, which know no network, find them.
    assert grades["T12"] == 3
    assert grades["T9"] >= 1
    assert grades["L2"] >= 1
    assert spinexplain("demo", "-o", out).code == 2

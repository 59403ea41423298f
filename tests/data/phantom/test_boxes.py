from dataclasses import replace

import numpy as np

from spinexplain.data.cohort import Cohort
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.phantom import write as writing
from spinexplain.data.phantom.boxes import box_shard
from spinexplain.data.prepare import PrepareOptions, prepare


def test_boxes_are_those_of_the_written_and_prepared_scan(tmp_path, demo_scan, monkeypatch):
    scan = replace(demo_scan, twin=None)
    monkeypatch.setattr(writing, "make_subject", lambda *arguments, **more: scan)
    table = writing.write_phantom(tmp_path / "spines", 1, scan.seed, scan.preset)
    prepare([tmp_path / "spines"], table, tmp_path / "long", PrepareOptions(patches="3d"))
    writer = CohortWriter.create(tmp_path / "short", {})
    writer.add_series(box_shard(scan))
    writer.finish()
    long, short = Cohort.open(tmp_path / "long"), Cohort.open(tmp_path / "short")
    assert short.index["level"].tolist() == long.index["level"].tolist()
    assert short.index["grade"].tolist() == long.index["grade"].tolist()
    np.testing.assert_allclose(short.index["loss"], long.index["loss"], atol=1e-4)
    assert short.index["synthetic"].all()
    rows = np.arange(len(short))
    for kind in ("patches_3d", "body_3d", "evidence_3d"):
        one, other = short.read(kind, rows).astype(int), long.read(kind, rows).astype(int)
        # A file holds whole HU and rounded places: samples between voxels differ by a little.
        if kind == "patches_3d":
            assert np.mean(abs(one - other)) < 0.5
        else:
            assert np.mean(one != other) < 2e-3

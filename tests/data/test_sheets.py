from types import SimpleNamespace

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.cohort import CohortWriter
from spinexplain.data.sheets import sheet_shard
from spinexplain.errors import ConfigError


def drawn(seed, **more):
    rng = np.random.default_rng(seed)
    labels = np.full((144, 144), 20, np.uint8)
    body = np.zeros((144, 144), bool)
    body[60:80, 50:90] = True
    return SimpleNamespace(
        array=rng.normal(100, 50, (144, 144)).astype(np.float32),
        labels=labels,
        body=body,
        evidence=body & (rng.random((144, 144)) > 0.5),
        level=VertebraLevel.L1,
        grade="G2",
        shape="wedge",
        loss=0.31,
        seed=seed,
        **more,
    )


def test_drawn_sheets_come_back_from_the_cohort(tmp_path):
    sheets = [drawn(seed) for seed in range(3)]
    writer = CohortWriter.create(tmp_path / "c")
    writer.add_series(sheet_shard("phantom", "train-0", sheets, split="training"))
    cohort = writer.finish()
    assert cohort.kinds == ("patches_2d", "labels_2d", "body_2d", "evidence_2d")
    np.testing.assert_array_equal(cohort.patches_2d[1], np.rint(sheets[1].array))
    np.testing.assert_array_equal(cohort.evidence_2d[2], sheets[2].evidence)
    assert set(np.unique(cohort.body_2d[0])) == {0, 20}
    assert cohort.index.grade.tolist() == ["G2"] * 3
    assert cohort.index.seed.tolist() == [0, 1, 2]
    assert cohort.index.synthetic.all()
    assert cohort.index.split.tolist() == ["training"] * 3
    assert cohort.index.loss.tolist() == [0.31] * 3


def test_shortcuts_and_twins_are_kept_where_drawn():
    mask = np.zeros((144, 144), bool)
    mask[3, 4] = True
    shard = sheet_shard("p", "s", [drawn(0, shortcut=mask, twin_id="t1")])
    assert shard.arrays["shortcut_2d"].sum() == 1
    assert shard.rows[0].twin_id == "t1"
    assert "shortcut_2d" not in sheet_shard("p", "s", [drawn(0)]).arrays


def test_no_sheet_is_an_error():
    with pytest.raises(ConfigError, match="at least one sheet"):
        sheet_shard("p", "s", [])

from types import SimpleNamespace

import numpy as np
import pytest

from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.sheets import sheet_shard, twin_shard
from spinexplain.errors import ConfigError


def drawn(seed, grade=2, twin=False, **more):
    rng = np.random.default_rng(seed)
    body = np.zeros((144, 144), np.uint8)
    body[60:80, 50:90] = 1
    hu = rng.normal(100, 50, (144, 144)).astype(np.int16)
    return SimpleNamespace(
        subject=f"balanced-1-{seed}",
        hu=hu,
        labels=np.full((144, 144), 20, np.uint8),
        body=body,
        evidence=body * (rng.random((144, 144)) > 0.5),
        twin_hu=hu + 5 if twin else None,
        level="L1",
        grade=grade,
        shape="wedge",
        loss=0.31,
        **more,
    )


def test_drawn_sheets_come_back_from_the_cohort(tmp_path):
    sheets = [drawn(seed) for seed in range(3)]
    writer = CohortWriter.create(tmp_path / "c")
    writer.add_series(sheet_shard("train-0", sheets, split="training", seed=1))
    cohort = writer.finish()
    assert cohort.kinds == ("patches_2d", "labels_2d", "body_2d", "evidence_2d")
    np.testing.assert_array_equal(cohort.patches_2d[1], sheets[1].hu)
    np.testing.assert_array_equal(cohort.evidence_2d[2], sheets[2].evidence)
    np.testing.assert_array_equal(cohort.body_2d[0], 20 * sheets[0].body)
    assert cohort.index.grade.tolist() == ["G2"] * 3
    assert cohort.index.subject.tolist() == ["balanced-1-0", "balanced-1-1", "balanced-1-2"]
    assert cohort.index.synthetic.all()
    assert cohort.index.split.tolist() == ["training"] * 3
    assert cohort.index.loss.tolist() == [0.31] * 3
    assert cohort.index.seed.tolist() == [1] * 3


def test_twins_are_healthy_and_point_at_each_other(tmp_path):
    sheets = [drawn(0), drawn(1, twin=True)]
    writer = CohortWriter.create(tmp_path / "c")
    writer.add_series(sheet_shard("a", sheets))
    writer.add_series(twin_shard("a-twins", sheets))
    index = writer.finish().index
    pair = index[index.twin_id == "balanced-1-1"]
    assert sorted(pair.grade) == ["G0", "G2"]
    assert pair.subject.nunique() == 1
    np.testing.assert_array_equal(
        writer.finish().patches_2d[int(pair.index[pair.grade == "G0"][0])], sheets[1].twin_hu
    )
    assert index.twin_id.isna().sum() == 1
    assert index.grade[index.healthy_twin].tolist() == ["G0"]
    assert index.healthy_twin.sum() == 1


def test_the_phantoms_own_sheets_fit():
    from spinexplain.data.phantom.sheets import phantom_sheets

    sheets = list(phantom_sheets("balanced", seed=1, n=2, twins=True))
    shard = sheet_shard("train-0", sheets, "training", seed=1)
    assert shard.arrays["patches_2d"].shape == (2, 144, 144)
    assert [row.grade for row in shard.rows] == [f"G{sheet.grade}" for sheet in sheets]
    for sheet, evidence in zip(sheets, shard.arrays["evidence_2d"], strict=True):
        np.testing.assert_array_equal(evidence, sheet.evidence)


def test_no_twins_no_shard():
    assert twin_shard("s", [drawn(0)]) is None


def test_shortcuts_are_kept_where_drawn():
    mask = np.zeros((144, 144), bool)
    mask[3, 4] = True
    shard = sheet_shard("s", [drawn(0, shortcut=mask)])
    assert shard.arrays["shortcut_2d"].sum() == 1
    assert "shortcut_2d" not in sheet_shard("s", [drawn(0)]).arrays


def test_no_sheet_is_an_error():
    with pytest.raises(ConfigError, match="at least one sheet"):
        sheet_shard("s", [])

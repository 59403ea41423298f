import pickle
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spinexplain.data.cohort import Cohort
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.shard import SeriesShard, VertebraRow
from spinexplain.errors import ConfigError, FileFormatError, SpinexplainError
from spinexplain.geometry import BoxFrame, box_axes

LEVELS = ("T12", "L1", "L2")


def box_frame():
    axes = box_axes(np.array([0.1, 0.2, -0.9]))
    return BoxFrame(np.array([1.0, 2, 3]), axes, (112, 112, 112), 1.0)


def test_patches_come_back_in_any_order(written):
    cohort, shards = written
    rows = [5, 0, 3, 0, 1]
    expected = [
        shards[cohort.index.subject[row]].arrays["patches_2d"][cohort.index.position[row]]
        for row in rows
    ]
    np.testing.assert_array_equal(cohort.read("patches_2d", rows), np.stack(expected))
    np.testing.assert_array_equal(cohort.patches_2d[5], expected[0])
    np.testing.assert_array_equal(cohort.patches_2d[[5, 0]], expected[:2])


def test_a_bool_mask_chooses_rows(written):
    cohort, _ = written
    mask = (cohort.index.level == "L1").to_numpy()
    patches = cohort.read("patches_2d", mask)
    np.testing.assert_array_equal(patches, cohort.patches_2d[np.flatnonzero(mask)])
    assert len(patches) == 2
    assert cohort.read("patches_2d", np.zeros(6, bool)).shape == (0, 144, 144)


def test_the_index_keeps_what_the_rows_said(written):
    cohort, _ = written
    assert len(cohort) == 6
    row = cohort.index.loc[4]
    assert (row.level, row.grade, row.split) == ("L1", "G0", "training")
    assert list(row["flags"]) == ["thick_slices"]
    assert list(row.native_spacing_mm) == [0.8, 0.8, 1.0]
    assert pd.isna(row.fold)
    assert row.cohort_schema == "spinexplain/cohort/1"


def test_frames_are_rebuilt_exactly(tmp_path, sheet_frame):
    rows = [VertebraRow("L1", sheet=sheet_frame, box=box_frame(), centroid_mm=(1, 2, 3))]
    writer = CohortWriter.create(tmp_path / "c")
    writer.add_series(SeriesShard("s", "s", rows, {}))
    cohort = writer.finish()
    index = np.random.default_rng(0).uniform(0, 111, (20, 3))
    np.testing.assert_allclose(cohort.frame(0, "3d").to_mm(index), box_frame().to_mm(index))
    np.testing.assert_allclose(
        cohort.frame(0).to_mm(index[:, :2]), sheet_frame.to_mm(index[:, :2]), atol=1e-9
    )


def test_a_patch_has_its_frame_and_vertebra(written):
    cohort, shards = written
    patch = cohort.patch(3)
    assert patch.array.dtype == np.float32
    assert patch.vertebra.level.value == "T12"
    assert patch.outside == 0.1
    np.testing.assert_array_equal(patch.array, shards["b"].arrays["patches_2d"][0])


def test_a_sheet_without_a_patient_has_no_frame(tmp_path):
    writer = CohortWriter.create(tmp_path / "c")
    writer.add_series(SeriesShard("s", "s", [VertebraRow("L1")], {}))
    with pytest.raises(ConfigError, match="no 2d frame"):
        writer.finish().frame(0)


def test_arrays_that_some_vertebrae_lack(tmp_path, example_shard):
    writer = CohortWriter.create(tmp_path / "c")
    writer.add_series(example_shard("a", 0, evidence_2d=np.ones((3, 144, 144), bool)))
    writer.add_series(example_shard("b", 1))
    cohort = writer.finish()
    assert cohort.has("evidence_2d").tolist() == [True] * 3 + [False] * 3
    with pytest.raises(ConfigError, match=r"row 3 \(b T12\) has no evidence_2d"):
        cohort.read("evidence_2d", [0, 3])
    filled = cohort.read("evidence_2d", [3, 0], missing=0)
    assert filled[0].sum() == 0
    assert filled[1].sum() == 144 * 144


def test_a_cohort_travels_to_worker_processes(written):
    cohort, _ = written
    twin = pickle.loads(pickle.dumps(cohort))
    np.testing.assert_array_equal(twin.patches_2d[2], cohort.patches_2d[2])


def test_unknown_arrays_and_rows(written):
    cohort, _ = written
    with pytest.raises(ConfigError, match="patches_5d"):
        cohort.read("patches_5d", [0])
    with pytest.raises(ConfigError, match="row 6 is not"):
        cohort.read("patches_2d", [6])
    with pytest.raises(ConfigError, match="row -1 is not"):
        cohort.read("patches_2d", [-1])
    with pytest.raises(AttributeError, match="patches_5d"):
        _ = cohort.patches_5d


def test_another_schema_version_is_refused(written):
    cohort, _ = written
    description = cohort.path / "cohort.json"
    description.write_text(description.read_text().replace("cohort/1", "cohort/99"))
    with pytest.raises(ConfigError, match=r"cohort/99.*cohort/1.*Prepare it again"):
        Cohort.open(cohort.path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 3}', "\x00\x01"])
def test_a_broken_description_is_no_cohort(written, text):
    cohort, _ = written
    (cohort.path / "cohort.json").write_text(text)
    with pytest.raises(ConfigError):
        Cohort.open(cohort.path)


def test_folders_that_are_no_cohort(tmp_path):
    with pytest.raises(ConfigError, match="not a cohort"):
        Cohort.open(tmp_path)
    with pytest.raises(ConfigError, match="not a cohort"):
        Cohort.open(tmp_path / "missing")


def test_an_unfinished_cohort_is_refused(written):
    cohort, _ = written
    (cohort.path / "index.parquet").unlink()
    with pytest.raises(ConfigError, match="not finished"):
        Cohort.open(cohort.path)


def test_a_broken_index_is_named(written):
    cohort, _ = written
    (cohort.path / "index.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(FileFormatError, match=r"index\.parquet"):
        Cohort.open(cohort.path)


def test_an_index_without_columns_is_named(written):
    cohort, _ = written
    path = cohort.path / "index.parquet"
    parquet.write_table(parquet.read_table(path).drop_columns(["level"]), path)
    with pytest.raises(FileFormatError, match="level"):
        Cohort.open(cohort.path)


@pytest.mark.parametrize("name", ["../../elsewhere", "/etc", "..", ""])
def test_an_index_can_not_point_outside_the_cohort(written, name):
    cohort, _ = written
    path = cohort.path / "index.parquet"
    table = parquet.read_table(path)
    column = table.column_names.index("shard")
    table = table.set_column(column, table.schema.field("shard"), [[name] * len(table)])
    parquet.write_table(table, path)
    with pytest.raises(FileFormatError, match="outside the cohort"):
        Cohort.open(cohort.path)


def test_missing_and_broken_shards_are_named(written):
    cohort, _ = written
    first, second = sorted(path for path in (cohort.path / "shards").iterdir())
    shutil.rmtree(first)
    chunk = next(path for path in (second / "patches_2d").rglob("0") if path.is_file())
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 0xFF
    chunk.write_bytes(bytes(data))
    with pytest.raises(FileFormatError, match=first.name):
        cohort.read("patches_2d", [0])
    with pytest.raises(FileFormatError, match="broken array"):
        cohort.read("patches_2d", [3, 4, 5])


@settings(max_examples=60, deadline=None)
@example("index.parquet", [(0.17578125, 128)], 1.0)
@given(
    st.sampled_from(["cohort.json", "index.parquet"]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
    st.floats(0, 1),
)
def test_damaged_files_never_give_a_traceback(name, changes, keep):
    with tempfile.TemporaryDirectory() as folder:
        writer = CohortWriter.create(Path(folder) / "c")
        writer.add_series(SeriesShard("s", "s", [VertebraRow("L1", flags=("a",))], {}))
        writer.finish()
        path = writer.path / name
        data = bytearray(path.read_bytes())
        for place, value in changes:
            data[int(place * (len(data) - 1))] = value
        path.write_bytes(bytes(data[: max(int(keep * 2 * len(data)), 1)]))
        error = error_of(Cohort.open, writer.path)
        assert error is None or str(writer.path) in error


def error_of(read, path):
    """The message of the package's own error; any other error is a failure."""
    try:
        read(path)
    except SpinexplainError as error:
        return str(error)
    return None


def test_cohorts_from_before_twins_were_marked_are_read(tmp_path):
    patches = np.zeros((1, 144, 144), np.int16)
    writer = CohortWriter.create(tmp_path / "c")
    for series, twin, kinds in (
        ("drawn", "p", {"patches_2d": patches, "labels_2d": patches}),
        ("drawn-twins", "p", {"patches_2d": patches}),
        ("scan_desc-twin", "scan", {"patches_2d": patches, "labels_2d": patches}),
        ("patient", None, {"patches_2d": patches}),
    ):
        writer.add_series(SeriesShard(series, series, [VertebraRow("L1", twin_id=twin)], kinds))
    path = writer.finish().path / "index.parquet"
    parquet.write_table(parquet.read_table(path).drop_columns(["healthy_twin"]), path)
    index = Cohort.open(path.parent).index
    assert set(index.series[index.healthy_twin]) == {"drawn-twins", "scan_desc-twin"}


def test_cohorts_from_before_raters_were_kept_have_none(tmp_path):
    writer = CohortWriter.create(tmp_path / "c")
    patches = np.zeros((1, 144, 144), np.int16)
    writer.add_series(SeriesShard("a", "a", [VertebraRow("L1")], {"patches_2d": patches}))
    path = writer.finish().path / "index.parquet"
    parquet.write_table(parquet.read_table(path).drop_columns(["ratings"]), path)
    assert [list(row) for row in Cohort.open(path.parent).index["ratings"]] == [[]]

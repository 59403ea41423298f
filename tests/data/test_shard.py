import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.data.schema import KINDS
from spinexplain.data.shard import (
    SeriesShard,
    VertebraRow,
    open_array,
    shard_key,
    shard_table,
    to_stored,
    write_shard,
)
from spinexplain.errors import ConfigError, FileFormatError, ShapeError


def one_sheet(**arrays):
    zeros = {"patches_2d": np.zeros((1, 144, 144), np.int16)}
    return SeriesShard("s", "s", [VertebraRow("L1")], zeros | arrays)


def test_arrays_must_have_one_patch_per_row():
    with pytest.raises(ShapeError, match=r"patches_2d.*\(1, 144, 144\).*\(2, 144, 144\)"):
        one_sheet(patches_2d=np.zeros((2, 144, 144)))


def test_objects_are_never_stored():
    with pytest.raises(ShapeError, match="labels_2d must hold numbers; got object"):
        one_sheet(labels_2d=np.zeros((1, 144, 144), object))


def test_unknown_arrays_are_refused():
    with pytest.raises(ConfigError, match="patches_4d"):
        one_sheet(patches_4d=np.zeros((1, 144, 144)))


@given(st.text(min_size=1), st.text(min_size=1))
def test_shard_names_are_plain_whatever_the_series_is_called(subject, series):
    key = shard_key(subject, series)
    assert key.replace("_", "").replace("-", "").isalnum()
    assert key.isascii()
    assert len(key) <= 71


def test_names_that_look_alike_get_different_shards():
    assert shard_key("a b", "c") != shard_key("a_b", "c")
    assert shard_key("a", "bc") != shard_key("ab", "c")


def test_nothing_is_left_when_writing_fails(tmp_path):
    arrays = {"patches_2d": np.zeros((1, 144, 144), np.int16)}
    bad = SeriesShard("s", "s", [VertebraRow(level=3.5)], arrays)
    with pytest.raises(TypeError):
        write_shard(tmp_path, bad)
    assert list(tmp_path.iterdir()) == []


def test_a_shard_replaces_the_older_one(tmp_path):
    write_shard(tmp_path, one_sheet())
    key = write_shard(tmp_path, one_sheet(patches_2d=np.full((1, 144, 144), 7, np.int16)))
    assert [path.name for path in tmp_path.iterdir()] == [key]
    array = open_array(tmp_path / key / "patches_2d", KINDS["patches_2d"])
    assert int(array[0, 0, 0]) == 7


def test_values_are_rounded_and_clipped_not_wrapped():
    kind = KINDS["labels_2d"]
    assert to_stored(kind, np.array([-3, 7, 300])).tolist() == [0, 7, 255]
    assert to_stored(KINDS["patches_2d"], np.array([-1e9, 2.5, 3.5])).tolist() == [-32768, 2, 4]


def test_rows_say_which_arrays_they_have():
    table = shard_table(one_sheet(evidence_2d=np.zeros((1, 144, 144))))
    assert table["kinds"].to_pylist() == [["patches_2d", "evidence_2d"]]


@pytest.mark.parametrize(
    "change",
    [
        {"data_type": "float64"},
        {"codecs": [{"name": "numcodecs.pickle"}]},
        {"shape": [1, 10, 10]},
        {"zarr_format": 2},
        {"codecs": "bytes"},
    ],
)
def test_an_array_that_we_did_not_write_is_never_opened(tmp_path, change):
    key = write_shard(tmp_path, one_sheet())
    path = tmp_path / key / "patches_2d"
    metadata = json.loads((path / "zarr.json").read_text())
    (path / "zarr.json").write_text(json.dumps(metadata | change))
    with pytest.raises(FileFormatError, match="patches_2d"):
        open_array(path, KINDS["patches_2d"])

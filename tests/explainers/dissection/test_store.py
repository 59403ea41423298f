import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from spinexplain.errors import FileFormatError, ModelError
from spinexplain.explainers.dissection.names import NAMES_SCHEMA, RaterNames, write_names
from spinexplain.explainers.dissection.store import read_dissection, write_dissection


@pytest.fixture
def folder(known_dissected, tmp_path):
    write_dissection(known_dissected.dissection, tmp_path)
    return tmp_path


@pytest.mark.parametrize("axes", [2, 3])
def test_what_was_written_is_read_again(request, tmp_path, axes):
    name = {2: "known_dissected", 3: "known_dissected_3d"}[axes]
    before = request.getfixturevalue(name).dissection
    write_dissection(before, tmp_path)
    after = read_dissection(tmp_path)
    assert (after.model, after.layer, after.quantile) == (before.model, before.layer, 0.95)
    assert (after.grid, after.key, after.cautions) == (before.grid, before.key, before.cautions)
    assert dict(after.facts) == dict(before.facts)
    for column, values in before.columns().items():
        np.testing.assert_array_equal(after.columns()[column], values, err_msg=column)
    np.testing.assert_array_equal(after.pictures, before.pictures)
    assert after.sources == before.sources
    for one, two in zip(after.best, before.best, strict=True):
        assert (one.unit, one.picture) == (two.unit, two.picture)
        np.testing.assert_array_equal(one.cells, two.cells)


def test_names_come_along(folder, known_dissected):
    content = {"schema": NAMES_SCHEMA, "key": known_dissected.dissection.key, "rater": "A"}
    rater = RaterNames.model_validate(content | {"names": [{"unit": 0, "name": "bright"}]})
    write_names(folder, [rater])
    assert read_dissection(folder).names == (rater,)


def test_the_table_has_one_row_a_unit(folder):
    with (folder / "units.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["unit"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert rows[1]["state"] == "silent"
    assert rows[0]["false_positive"] == ""


def test_folders_that_are_no_dissection(tmp_path, folder):
    with pytest.raises(ModelError, match=r"there is no dissection\.json"):
        read_dissection(tmp_path / "none")
    figures = folder / "dissection.json"
    content = json.loads(figures.read_text())
    figures.write_text(json.dumps(content | {"schema": "spinexplain/dissection/9"}))
    with pytest.raises(ModelError, match="this version reads"):
        read_dissection(folder)
    figures.write_text("{")
    with pytest.raises(FileFormatError, match="broken JSON"):
        read_dissection(folder)


def _without(content, key):
    return {name: value for name, value in content.items() if name != key}


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: _without(content, "units"),
        lambda content: _without(content, "grid"),
        lambda content: content | {"sources": []},
        lambda content: content | {"best": [[0, 1.0]]},
        lambda content: content | {"units": content["units"] | {"rank": [1]}},
        lambda content: content | {"model": {"name": "x"}},
    ],
)
def test_damaged_figures(folder, damage):
    figures = folder / "dissection.json"
    figures.write_text(json.dumps(damage(json.loads(figures.read_text()))))
    with pytest.raises(FileFormatError, match="do not fit together"):
        read_dissection(folder)


def test_arrays_of_another_dissection(folder, known_dissected, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    d = known_dissected.dissection
    write_dissection(replace(d, thresholds=d.thresholds + 1), other)
    arrays = "dissection.safetensors"
    (folder / arrays).write_bytes((other / arrays).read_bytes())
    with pytest.raises(FileFormatError, match="has changed"):
        read_dissection(folder)

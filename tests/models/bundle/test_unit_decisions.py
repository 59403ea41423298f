import json

import pytest

from spinexplain.errors import FileFormatError
from spinexplain.models.bundle.unit_decisions import (
    UNIT_DECISIONS_SCHEMA,
    dumped_unit_decisions,
    read_unit_decisions,
)
from spinexplain.types import ModelInfo

INFO = ModelInfo("m", "1", "", ("no fracture", "fracture"), "toys", weights_sha256="a" * 64)


def content(decisions):
    model = {"name": "m", "version": "1", "weights_sha256": "a" * 64}
    base = {"schema": UNIT_DECISIONS_SCHEMA, "model": model, "layer": "trunk", "reader": "R"}
    return base | {"decisions": decisions}


def reject(unit, **changes):
    return {
        "unit": unit,
        "name": f"Unit {unit}",
        "choice": "not meaningful",
        "reason": "artifact",
    } | changes


def test_a_file_of_another_editor_is_read(tmp_path):
    """With a byte-order mark and the line ends of Windows."""
    path = tmp_path / "decisions.json"
    text = json.dumps(content([reject(3), reject(1, choice="keep", reason=None)]), indent=1)
    path.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    found = read_unit_decisions(path, INFO, "trunk", 8)
    assert found.rejected == (3,)
    again = tmp_path / "again.json"
    again.write_text(dumped_unit_decisions(found), "utf-8")
    assert read_unit_decisions(again, INFO, "trunk", 8) == found


@pytest.mark.parametrize(
    "decisions",
    [
        [reject(3), reject(3)],
        [reject(3, reason=None)],
        [reject(3, choice="keep")],
        [reject(-1)],
        [{"unit": 3}],
    ],
)
def test_unsound_decisions_are_refused(decisions, tmp_path):
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps(content(decisions)))
    with pytest.raises(FileFormatError, match="decisions about units"):
        read_unit_decisions(path, INFO, "trunk", 8)


def test_no_json_is_said(tmp_path):
    path = tmp_path / "decisions.json"
    path.write_bytes(b"\xff\xfe{")
    with pytest.raises(FileFormatError, match="holds no JSON"):
        read_unit_decisions(path, INFO, "trunk", 8)

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.errors import FileFormatError, ModelError
from spinexplain.models.bundle.decisions import (
    CHOICES,
    REASONS,
    decisions_of,
    dumped_decisions,
    painted_cells,
    read_decisions,
)
from spinexplain.types import ModelInfo

INFO = ModelInfo("m", "1", "0" * 64, ("G0", "G2"), "toys", weights_sha256="a" * 64)
NAMES = ["G0 prototype 1", "G2 prototype 1"]
OUTSIDE = {
    "prototype": 2,
    "name": NAMES[1],
    "choice": "not meaningful",
    "reason": "outside the vertebra",
}
PAINTED = {"prototype": 1, "name": NAMES[0], "choice": "never this region", "region": ["01", "00"]}


def written(tmp_path, *decisions, **changes):
    content = json.loads(dumped_decisions(decisions_of(INFO, "Ä", [])))
    content["decisions"] = list(decisions)
    path = tmp_path / "d.json"
    path.write_text(json.dumps(content | changes))
    return path


def test_what_is_written_is_read_back(tmp_path):
    made = decisions_of(INFO, "reader 2", [OUTSIDE, PAINTED])
    path = tmp_path / "d.json"
    path.write_text(dumped_decisions(made))
    found = read_decisions(path, INFO, NAMES, (2, 2))
    assert found == made
    assert [one.prototype for one in found.rejected] == [2, 1]


@given(st.sampled_from(CHOICES), st.sampled_from([None, *REASONS]), st.sampled_from([(), ("1",)]))
def test_a_reason_and_a_region_go_with_one_choice_each(choice, reason, region):
    sound = (choice == "not meaningful") == (reason is not None)
    sound &= (choice == "never this region") == bool(region)
    one = {"prototype": 1, "name": "x", "choice": choice, "reason": reason, "region": region}
    if sound:
        assert decisions_of(INFO, "", [one]).decisions[0].choice == choice
    else:
        with pytest.raises(ValueError, match="needs a re"):
            decisions_of(INFO, "", [one])


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ({**OUTSIDE, "prototype": 7}, "has 2"),
        ({**OUTSIDE, "name": "G3 prototype 1"}, "calls it 'G2 prototype 1'"),
        ({**PAINTED, "region": ["010", "000"]}, "expected 2 rows of 2"),
        ({**PAINTED, "region": ["01"]}, "expected 2 rows of 2"),
        ({**PAINTED, "region": ["01", "0"]}, "rows of 1, 2"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(tmp_path, decision, said):
    with pytest.raises(ModelError, match=said):
        read_decisions(written(tmp_path, decision), INFO, NAMES, (2, 2))


@pytest.mark.parametrize(
    ("decisions", "said"),
    [
        ([{**OUTSIDE, "reason": "ugly"}], "reason"),
        ([{**OUTSIDE, "more": 1}], "more"),
        ([{**PAINTED, "region": ["00", "00"]}], "nothing is painted"),
        ([{**PAINTED, "region": ["0x", "00"]}], "region"),
        ([OUTSIDE, OUTSIDE], "twice"),
    ],
)
def test_an_edited_file_is_refused(tmp_path, decisions, said):
    with pytest.raises(FileFormatError, match=said):
        read_decisions(written(tmp_path, *decisions), INFO, NAMES, (2, 2))


def test_another_models_decisions_no_json_and_no_file_are_refused(tmp_path):
    other = {"name": "other", "version": "3", "weights_sha256": "b" * 64}
    with pytest.raises(ModelError, match="decided about other 3"):
        read_decisions(written(tmp_path, OUTSIDE, model=other), INFO, NAMES, None)
    with pytest.raises(FileFormatError, match="schema"):
        read_decisions(written(tmp_path, schema="x/1"), INFO, NAMES, None)
    (tmp_path / "d.json").write_bytes(b"\xff{")
    with pytest.raises(FileFormatError, match="holds no JSON"):
        read_decisions(tmp_path / "d.json", INFO, NAMES, None)
    with pytest.raises(FileFormatError, match="no such file"):
        read_decisions(tmp_path / "none.json", INFO, NAMES, None)


def test_regions_are_for_sheets(tmp_path):
    assert painted_cells(112, 3) is None
    with pytest.raises(ModelError, match="boxes"):
        read_decisions(written(tmp_path, PAINTED), INFO, NAMES, None)

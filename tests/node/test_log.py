import io
import json

import pytest

from spinexplain.node.log import json_log


def test_one_object_a_line():
    stream = io.StringIO()
    log = json_log(stream)
    log("arrived", key="ab")
    log("graded", key="ab", seconds=1.23456)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["arrived", "graded"]
    assert lines[1]["seconds"] == 1.235


def test_fields_that_could_hold_a_patient_are_refused():
    with pytest.raises(ValueError, match="no field 'patient'"):
        json_log(io.StringIO())("arrived", patient="DOE^JANE")

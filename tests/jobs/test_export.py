import json

import pytest

from spinexplain.errors import SpinexplainError
from spinexplain.jobs.export import ExportRequest, export_to_folder, in_words
from spinexplain.models.bundle.description import ExportDescription


def test_what_was_decided_in_words():
    gate = {
        "cohort": "c",
        "vertebrae": 200,
        "same_grade": 0.995,
        "similarity_difference": 0.0612,
        "least_same_grade": 0.995,
        "largest_similarity_difference": 0.05,
        "passed": False,
    }
    export = {
        "schema": "spinexplain/export/1",
        "weights_sha256": "",
        "precision": "fp32",
        "reason": "bf16 did not pass the gate",
        "outputs": ["logits"],
        "field": {"size": 7, "stride": 4, "start": 0.0},
        "parity": 0.0,
        "gate": gate,
        "versions": {},
    }
    assert in_words(ExportDescription.model_validate_json(json.dumps(export))) == (
        "fp32: bf16 did not pass the gate (99.5% of 200 vertebrae with the same grade, largest "
        "difference of a similarity 0.061)"
    )


def test_a_cohort_that_is_none_leaves_nothing_behind(tmp_path):
    request = ExportRequest("protoverse-phantom", tmp_path / "out", tmp_path / "none")
    with pytest.raises(SpinexplainError, match="none"):
        export_to_folder(request)
    assert list(tmp_path.iterdir()) == []

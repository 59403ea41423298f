import pytest

from spinexplain.types import ModelInfo


@pytest.mark.parametrize(
    ("said", "synthetic"),
    [
        ("5 vertebrae of synthetic spines only (cohort p, training)", True),
        ("Synthetic sheets; no patient was used for training", True),
        ("374 vertebrae of patients' CTs and synthetic ones", False),
        ("patients of one hospital only", False),
        ("", False),
    ],
)
def test_only_who_says_so_knew_no_patient(said, synthetic):
    assert ModelInfo("m", "1", "", ("G0", "G2"), said).synthetic_only is synthetic

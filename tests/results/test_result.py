import pytest
from pydantic import ValidationError

from spinexplain.results.result import SCHEMA, Result, ResultHeights, ResultOpinion

OPINION = {"model": "m", "grade": None, "probabilities": {}, "explanation": None}


def test_only_what_was_set_is_written():
    source = {"name": "ct", "sha256": "", "shape": (2, 2, 2), "spacing_mm": (1, 1, 3)}
    result = Result.model_validate({"schema": SCHEMA, "ct": source, "models": [], "vertebrae": []})
    assert result.content()["ct"]["spacing_mm"] == [1.0, 1.0, 3.0]
    assert ResultOpinion(**OPINION).model_dump(exclude_unset=True) == OPINION


@pytest.mark.parametrize(
    "change",
    [
        {"grade": "G2"},
        {"grade": "G2", "probabilities": {"G2": 1.0}},
        {"probabilities": {"G0": 0.5, "G2": 0.5}},
        {"explanation": {"method": "m", "score_name": "s", "evidence": []}},
        {"grade": "G2", "probabilities": {"G0": 0.5, "G2": float("nan")}},
        {"surplus": 1},
    ],
)
def test_a_grade_goes_with_its_probabilities(change):
    with pytest.raises(ValidationError):
        ResultOpinion(**OPINION | change)


def test_the_height_loss_class_is_called_class_in_the_file():
    mm = {"anterior_mm": 20, "middle_mm": 21, "posterior_mm": 22, "expected_mm": (22, 22, 22)}
    rest = {"loss": 0.1, "loss_interval": (0, 0.2), "class": 0, "shape": "none"}
    heights = ResultHeights.model_validate(mm | rest)
    assert heights.height_loss_class == 0
    assert heights.model_dump(by_alias=True)["class"] == 0

import pytest
from pydantic import ValidationError

from spinexplain.config.phases import (
    LastLayerSettings,
    LossSettings,
    PhaseSettings,
    ProjectionSettings,
)
from spinexplain.config.training import TrainConfig


def test_a_training_has_three_phases_a_projection_and_a_last_layer():
    config = TrainConfig()
    assert [type(getattr(config, name)) for name in ("classifier", "warm", "joint")] == [
        PhaseSettings
    ] * 3
    assert config.loss == LossSettings()
    assert config.projection == ProjectionSettings()
    assert config.last_layer == LastLayerSettings()


@pytest.mark.parametrize(
    ("section", "wrong"),
    [
        (LossSettings, {"lambda_div": -0.1}),
        (LossSettings, {"class_weights": "inverse"}),
        (PhaseSettings, {"steps": -1}),
        (PhaseSettings, {"decay": "linear"}),
        (LastLayerSettings, {"solver": "newton"}),
        (ProjectionSettings, {"largest_cosine": 1.1}),
    ],
)
def test_values_out_of_range_are_refused(section, wrong):
    (name,) = wrong
    with pytest.raises(ValidationError, match=name):
        section(**wrong)

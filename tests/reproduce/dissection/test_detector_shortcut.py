import numpy as np

from spinexplain.config.training import read_config
from spinexplain.data.phantom.presets import load_preset
from spinexplain.reproduce.dissection.detector_shortcut import (
    PRESET,
    design,
    marked_counts,
    settings,
)


def test_marks_in_view_are_counted_by_hand():
    marks = np.zeros((4, 2, 2, 2), bool)
    marks[0, 0] = True
    marks[2, 0, 0] = True
    found = marked_counts(marks, np.array([True, True, False, False]))
    assert found == {
        "marked_positives": 1,
        "marked_negatives": 1,
        "mark_mm3": 3.0,
        "chance": 0.25,
    }


def test_the_detector_is_the_preset_in_a_box_that_holds_the_mark():
    config, preset = design(), read_config("detector")
    assert config.input.extent_mm / 2 > load_preset(PRESET).shortcut.away_mm + 35.0 / 2
    assert config.head == preset.head
    assert config.trunk == preset.trunk
    assert config.grades == preset.grades
    assert settings(config)["extent_mm"] == config.input.extent_mm

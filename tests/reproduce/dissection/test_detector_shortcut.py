import numpy as np

from spinexplain.config.training import read_config
from spinexplain.data.phantom.presets import load_preset
from spinexplain.reproduce.dissection import detector_shortcut as module
from spinexplain.reproduce.dissection.detector_shortcut import (
    PRESET,
    design,
    marked_counts,
    settings,
    work_name,
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


def test_the_detector_is_the_preset_in_a_box_that_holds_the_centers_of_marks():
    """Of the largest mark before the deepest body the box cuts the outermost 2 mm."""
    config, preset = design(), read_config("detector")
    mark, half_mm = load_preset(PRESET).shortcut, config.input.extent_mm / 2
    center_mm = mark.away_mm + 35.0 / 2
    assert center_mm < half_mm
    assert center_mm + max(mark.size_mm) / 2 - half_mm == 2.0
    assert config.head == preset.head
    assert config.trunk == preset.trunk
    assert config.grades == preset.grades
    assert settings(config)["extent_mm"] == config.input.extent_mm
    assert settings(config)["precision"] == config.detector.precision


def test_trainings_of_another_design_have_another_folder(monkeypatch):
    names = {work_name()}
    for name, value in (("PRESET", "shortcut"), ("LEARNING", (1, 40)), ("SIZE", 40)):
        monkeypatch.setattr(module, name, value)
        names.add(work_name())
    assert len(names) == 4

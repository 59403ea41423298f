"""A stored box is what the detector would have seen."""

from dataclasses import replace

import numpy as np
import pytest

from spinexplain.analysis.verdict.answers import BenchAnswer, read_answers
from spinexplain.analysis.verdict.bench import BenchScan, read_bench_scan
from spinexplain.analysis.verdict.boxes import BoxedScan, boxes_path, detector_table
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.scan import make_subject
from spinexplain.errors import ConfigError
from spinexplain.findings.assess import grade
from spinexplain.findings.rules import witnesses_of
from spinexplain.models.bundle.store import load_grader


@pytest.fixture(scope="module")
def boxed(tmp_path_factory):
    preset = load_preset("verse-like")
    small = replace(preset, field=replace(preset.field, spans=("L1-L3",)))
    one = BoxedScan(BenchScan("small", small, 11, 0, tmp_path_factory.mktemp("boxed")))
    assert not one.is_stored
    one.make()
    assert one.is_stored
    return one


@pytest.fixture(scope="module")
def detector():
    return load_grader("detector-phantom")


def test_only_the_route_with_a_mask_is_stored(boxed):
    scan, _ = read_bench_scan(boxed.scan.path)
    assert {row["route"] for row in scan["vertebrae"]} == {"labels"}
    with np.load(boxes_path(boxed.scan.path)) as stored:
        assert stored["levels"].tolist() == [row["level"] for row in scan["vertebrae"]]
        assert stored["boxes"].shape == (len(scan["vertebrae"]), 96, 96, 96)


def test_the_detector_says_of_a_stored_box_what_grading_the_scan_says(boxed, detector):
    image = make_subject(boxed.scan.preset, boxed.scan.seed, boxed.scan.index).image
    found = grade(image.volume, labels=image.labels, models=[detector])
    said = {
        one.vertebra.level.value: witness.value
        for one in found.vertebrae
        for witness in witnesses_of(one)
        if witness.name == "detector"
    }
    table = detector_table(detector, [boxed.scan.path]).dropna().set_index("level")["detector"]
    assert set(said) == set(table.index)
    assert said
    for level, value in said.items():
        assert table[level] == pytest.approx(value, abs=0.05)


def test_answers_are_stored_for_a_network_on_boxes_too(boxed, detector, tmp_path):
    answer = BenchAnswer("detector-phantom", boxed.scan.path, tmp_path)
    answer.make()
    again = read_answers([answer])
    np.testing.assert_allclose(
        again["detector"], detector_table(detector, [boxed.scan.path])["detector"]
    )


def test_a_network_on_other_boxes_is_refused(boxed):
    with pytest.raises(ConfigError, match="boxes of 96 mm"):
        detector_table(load_grader("protoverse-phantom"), [boxed.scan.path])

import json
from dataclasses import replace

import numpy as np
import pytest

from spinexplain.errors import ModelError
from spinexplain.localizer.body_frame import BODY_SHAPE
from spinexplain.localizer.networks import shipped_networks
from spinexplain.reproduce import trained_on
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.trained_on import (
    blind_bodies,
    blind_paths,
    body_figures,
    body_rows,
    compared,
    curve_rows,
    middles_of_path,
    path_figures,
)
from spinexplain.train.localizer.body_crops import BodyCrop


def upright():
    """A spine of 10 mm along the middle of a piece, but for its lowest eight planes."""
    regions = np.zeros((32, 32, 32), np.int64)
    regions[14:18, 14:18, 8:] = 2
    return regions


def answering(spine):
    """A network that sees a spine where it is told to."""
    spine_logits = np.where(spine, 9.0, -9.0).astype(np.float32)
    logits = np.stack([-spine_logits, *[np.full_like(spine_logits, -9.0)] * 3])
    logits[2] = spine_logits
    return lambda _: logits[None]


def test_a_path_on_the_spine_is_on_all_of_it_and_one_beside_it_on_none():
    regions = upright()
    hu = np.zeros(regions.shape, np.float32)
    right = path_figures(answering(regions > 0), hu, regions)
    assert right["on_spine"] > 0.9
    assert right["held"] > 0.9
    beside = path_figures(answering(np.roll(regions > 0, 8, axis=0)), hu, regions)
    assert beside == {"on_spine": 0.0, "held": 0.0}


def test_half_a_spine_is_half_reached_and_what_is_passed_is_held():
    regions, seen = upright(), upright() > 0
    seen[:, :, :20] = False
    half = path_figures(answering(seen), np.zeros(regions.shape, np.float32), regions)
    assert half["on_spine"] == pytest.approx(0.5, abs=0.09)
    assert half["held"] > 0.9


def test_no_path_is_on_nothing():
    assert np.isnan(middles_of_path(None, 3)).all()
    regions = upright()
    none = path_figures(answering(np.zeros(regions.shape, bool)), 0.0 * regions, regions)
    assert none == {"on_spine": 0.0, "held": 0.0}


def boxed(shift=0):
    own = np.zeros(BODY_SHAPE, np.float32)
    own[10 + shift : 30 + shift, 12:36, 10:38] = 1.0
    return own


def test_the_same_body_has_full_overlap_and_no_distance():
    assert body_figures(boxed(), boxed()) == {"dice": 1.0, "away_mm": 0.0, "none": 0.0}


def test_a_body_two_samples_off_overlaps_by_nine_tenths():
    off = body_figures(boxed(2), boxed())
    assert off["dice"] == pytest.approx(0.9)
    assert off["away_mm"] == pytest.approx(2.5)


def test_nothing_painted_is_as_far_as_the_crop_is():
    none = body_figures(np.zeros(BODY_SHAPE, np.float32), boxed(3))
    assert none["dice"] == 0.0
    assert none["none"] == 1.0
    assert none["away_mm"] == pytest.approx(3.75, abs=1.0)


def test_two_ways_are_compared_person_by_person():
    before = [{"person": k % 12, "dice": 0.8} for k in range(24)]
    after = [{"person": k % 12, "dice": 0.9 if k % 2 else 0.8} for k in range(24)]
    found = compared({"before": before, "after": after, "blind": before}, ("dice",))
    assert found["count"] == 24
    assert found["dice"]["before"] == 0.8
    assert found["dice"]["after"] == 0.85
    value, low, high = found["dice"]["more"]
    assert value == 0.05
    assert 0 <= low < value < high


def test_the_study_stores_both_networks_on_the_same_persons(drawn_body, tmp_path, monkeypatch):
    shipped = shipped_networks(runtime="torch")
    bodies = [replace(drawn_body, name=f"body-{k}") for k in range(2)]
    crop = BodyCrop(
        np.where(boxed() > 0, 300, 30).astype(np.int16), (255 * boxed()).astype(np.uint8),
        np.zeros(BODY_SHAPE, np.uint8),
    )  # fmt: skip
    monkeypatch.setattr(trained_on, "shipped_networks", lambda: shipped)
    earlier = replace(shipped, info=replace(shipped.info, sha256="0"))
    monkeypatch.setattr(trained_on, "load_networks", lambda _: earlier)
    monkeypatch.setattr(trained_on, "drawn", lambda *_: bodies)
    monkeypatch.setattr(trained_on, "body_crops", lambda *_: [crop])
    monkeypatch.setattr(trained_on, "PIECES", 1)
    setting = Setting(tmp_path, tmp_path, tmp_path, tmp_path)
    trained_on.measure(setting, persons=2, crop_persons=2)
    content = json.loads((tmp_path / trained_on.RESULTS).read_text())
    for part in (*(content["curve"][kind] for kind in trained_on.KINDS), content["body"]):
        for figures in (one for one in part.values() if isinstance(one, dict)):
            assert figures["before"] == figures["after"]
            assert figures["more"][0] == 0.0
    assert content["body"]["count"] == 2


def test_pieces_are_the_same_for_both(drawn_body):
    seen = []

    def network(x):
        seen.append(x)
        return np.zeros((1, 4, *x.shape[2:]), np.float32)

    for _ in range(2):
        curve_rows(network, [drawn_body], pieces=1)
    half = len(seen) // 2
    assert all(np.array_equal(a, b) for a, b in zip(seen[:half], seen[half:], strict=True))


def test_a_crop_is_painted_as_the_network_says():
    def network(x):
        return np.stack([np.where(x[:, 0] > 0.6, 9.0, -9.0)] * 2, axis=1)

    crop = BodyCrop(
        np.where(boxed() > 0, 300, 30).astype(np.int16), (255 * boxed()).astype(np.uint8),
        np.zeros(BODY_SHAPE, np.uint8),
    )  # fmt: skip
    (row,) = body_rows(network, [(7, crop)])
    assert row == {"person": 7, "dice": 1.0, "away_mm": pytest.approx(0.0, abs=0.1), "none": 0.0}


def test_a_localizer_does_not_stand_beside_itself(tmp_path, monkeypatch):
    shipped = shipped_networks(runtime="torch")
    monkeypatch.setattr(trained_on, "shipped_networks", lambda: shipped)
    monkeypatch.setattr(trained_on, "load_networks", lambda _: shipped)
    with pytest.raises(ModelError, match="holds the shipped localizer"):
        trained_on.measure(Setting(tmp_path, tmp_path, tmp_path, tmp_path))


def test_what_never_looks_is_judged_on_the_same_pieces(drawn_body):
    paths = blind_paths([drawn_body], 2)
    assert [row["kind"] for row in paths] == ["usual", "usual", "small", "small"]
    assert all(0.0 <= row["on_spine"] <= 1.0 for row in paths)
    crop = BodyCrop(np.zeros(BODY_SHAPE, np.int16), (255 * boxed()).astype(np.uint8), 0 * boxed())
    (row,) = blind_bodies([(3, crop)])
    assert row == {"person": 3, "dice": 1.0, "away_mm": 0.0, "none": 0.0}

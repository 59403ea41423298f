import json

import numpy as np
import pytest
import torch

from spinexplain.evaluate.explanations.parts import BodyFrame
from spinexplain.reproduce import placement_ceiling
from spinexplain.reproduce.placement_ceiling import (
    AT_LEAST,
    COLUMNS,
    ROWS,
    SEEDS,
    StripNetwork,
    Strips,
    answered,
    asked,
    cut,
    measure,
    trained_strips,
)
from spinexplain.reproduce.setting import Setting


def drawn_strips(n, seed=0, blank=False):
    """Bodies with a bright row at one endplate, and a bright column in one third."""
    rng = np.random.default_rng(seed)
    plate, third = rng.integers(0, 2, n), rng.integers(0, 3, n)
    images = rng.normal(0, 0.1, (n, 2, ROWS, COLUMNS)).astype(np.float32)
    if not blank:
        for image, side, part in zip(images, plate, third, strict=True):
            image[:, 14 if side == 0 else ROWS - 14] += 1
            image[:, :, (8, 24, 40)[part]] += 1
    return Strips(images, {"endplate": plate, "third": third}, np.arange(n).astype(str))


def test_what_is_drawn_is_read_and_what_is_not_is_not(monkeypatch):
    monkeypatch.setattr(placement_ceiling, "EPOCHS", 10)
    monkeypatch.setattr(placement_ceiling, "CHANNELS", 6)
    seen = answered(trained_strips(drawn_strips(320), 0), drawn_strips(120, seed=1))
    assert seen["endplate"][0] > 0.95
    assert seen["third"][0] > 0.9
    blind = answered(trained_strips(drawn_strips(320, blank=True), 0), drawn_strips(120, seed=1))
    assert abs(blind["endplate"][0] - 1 / 2) < 0.2


def test_same_seed_same_network_and_the_callers_random_numbers_stay(monkeypatch):
    monkeypatch.setattr(placement_ceiling, "EPOCHS", 1)
    before = torch.random.get_rng_state()
    one, two = (trained_strips(drawn_strips(64), 3) for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    for first, second in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(first, second)


def test_a_body_is_cut_upright_whatever_its_tilt():
    frame = BodyFrame(np.array([30.0, 30.0]), np.diag([-1.0, -1.0]), np.array([10.0, 15.0]))
    hu = np.full((60, 60), 200.0, np.float32)
    hu[:25] = 1300.0  # cranial, above half of the upper half
    image = cut(hu, frame)
    assert image.shape == (2, ROWS, COLUMNS)
    assert image[0, 0].mean() == pytest.approx(1)
    assert image[1, -1].mean() == pytest.approx(0.0)
    turned = np.array([[0.0, -1.0], [-1.0, 0.0]])  # cranial where the columns begin
    lying = BodyFrame(frame.center, turned, frame.half_size)
    assert np.allclose(cut(np.ascontiguousarray(hu.T), lying), image)


def test_a_question_is_asked_only_where_one_part_broke():
    moved = np.zeros((3, 12))
    moved[0, 4:6] = 5  # superior, anterior
    moved[1] = 1  # everywhere alike
    moved[2, 6:8] = 3  # inferior, posterior
    found = asked(moved)
    assert found["endplate"].tolist() == [0, -1, 1]
    assert found["third"].tolist() == [0, -1, 2]


def test_measured_from_drawn_sheets_to_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(placement_ceiling, "TRAINING", {("balanced-2", 7): 40})
    monkeypatch.setattr(placement_ceiling, "TEST_SHEETS", 16)
    monkeypatch.setattr(placement_ceiling, "EPOCHS", 1)
    monkeypatch.setattr(placement_ceiling, "BATCH", 8)
    setting = Setting(tmp_path, tmp_path, tmp_path, tmp_path)
    measure(setting)
    stored = json.loads((tmp_path / placement_ceiling.RESULTS).read_text("utf-8"))
    assert set(stored["seeds"]) == {str(seed) for seed in SEEDS}
    assert set(stored["asked"]) == set(AT_LEAST)
    assert stored["fractures"]["training"] > 8


def test_every_question_has_an_answer_a_part():
    logits = StripNetwork()(torch.zeros(2, 2, ROWS, COLUMNS))
    shapes = {name: tuple(x.shape) for name, x in logits.items()}
    assert shapes == {"endplate": (2, 2), "third": (2, 3)}

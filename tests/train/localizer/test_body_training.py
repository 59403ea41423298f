import numpy as np
import pytest
import torch

from spinexplain.localizer.body_frame import BODY_SHAPE
from spinexplain.train.localizer.body_crops import BodyCrop
from spinexplain.train.localizer.body_training import (
    FURTHER,
    SETTINGS,
    BodyBatches,
    body_loss,
    read_crops,
    train_bodies,
    train_bodies_on,
    with_rods,
    write_crops,
)


def block(value):
    """A crop with a box of bone in its middle."""
    own = np.zeros(BODY_SHAPE, np.uint8)
    own[14:26, 14:34, 12:36] = 255
    others = np.zeros(BODY_SHAPE, np.uint8)
    others[:6, 14:34, 12:36] = 255
    hu = np.where(own + others > 0, value, 30).astype(np.int16)
    return BodyCrop(hu, own, others)


@pytest.fixture
def examples(tmp_path):
    for i, value in enumerate((300, 500)):
        write_crops(tmp_path / f"{i}.npz", [block(value), block(value + 50)])
    return read_crops(sorted(tmp_path.glob("*.npz")))


def test_crops_come_back_as_they_were_written(examples):
    assert len(examples) == 4
    assert np.array_equal(examples.hu[3], block(550).hu)
    assert np.array_equal(examples.own[0], block(300).own)


def test_a_batch_is_a_function_of_seed_and_step(examples):
    device = torch.device("cpu")
    first, again = (BodyBatches(examples, 2, 5).load(9, (0, 1), device) for _ in range(2))
    other = BodyBatches(examples, 2, 5).load(10, (0, 1), device)
    assert torch.equal(first.x, again.x)
    assert not torch.equal(first.x, other.x)
    assert first.x.shape == (2, 1, *BODY_SHAPE)
    assert first.y.shape == (2, 2, *BODY_SHAPE)
    assert first.y.unique().tolist() == [0.0, 1.0]


def test_rods_leave_the_body_alone_and_are_dense():
    crop = block(300)
    hu, own = crop.hu.astype(np.float32), crop.own / 255.0
    changed = [with_rods(hu, own, np.random.default_rng(seed)) for seed in range(8)]
    assert all(np.array_equal(one[own == 1], hu[own == 1]) for one in changed)
    assert max(float(one.max()) for one in changed) > 500
    assert float(hu.max()) == 300


def test_the_loss_falls_as_the_answer_gets_better_and_by_hand():
    y = torch.zeros(1, 2, 1, 1, 2)
    y[0, 0, 0, 0, 0] = 1.0
    good, bad = 20 * (2 * y - 1), 20 * (1 - 2 * y)
    assert float(body_loss(good, y)["total"]) == pytest.approx(0.0, abs=1e-4)
    assert float(body_loss(bad, y)["total"]) > 40
    # Nothing known: cross-entropy log 2; own Dice (2 * 0.5 + 1) / (1 + 1 + 1), others 1 / 2.
    unsure = body_loss(torch.zeros(1, 2, 1, 1, 2), y)
    expected = 2 * np.log(2) + (1 - 2 / 3) + 0.3 * (1 - 1 / 2)
    assert float(unsure["total"]) == pytest.approx(expected, abs=1e-5)


def test_a_training_that_was_broken_off_is_taken_up(examples, tmp_path):
    few = SETTINGS.model_copy(update={"steps": 2, "batch": 1, "precision": "fp32"})
    tiny = {"settings": few, "widths": (2, 2, 2, 2)}
    whole = train_bodies(examples, tmp_path / "whole", **tiny)
    assert not whole.training
    again = train_bodies(examples, tmp_path / "whole", **tiny)
    first, second = (list(network.state_dict().values()) for network in (whole, again))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_network_is_trained_on_from_where_it_is_and_taken_up(examples, tmp_path):
    few = SETTINGS.model_copy(update={"steps": 1, "batch": 1, "precision": "fp32"})
    begun = train_bodies(examples, tmp_path, few, widths=(2, 2, 2, 2))
    before = [value.clone() for value in begun.state_dict().values()]
    gentle = FURTHER.model_copy(update={"steps": 2, "batch": 1, "trunk_lr": 1e-6})
    train_bodies_on(begun, examples, tmp_path, gentle)
    after = [value.clone() for value in begun.state_dict().values()]
    weights = [(a, b) for a, b in zip(before, after, strict=True) if a.is_floating_point()]
    assert any(not torch.equal(a, b) for a, b in weights)
    log = (tmp_path / "log.csv").read_text()
    assert "bodies-3,1," in log
    again = train_bodies_on(begun, examples, tmp_path, gentle)
    assert (tmp_path / "log.csv").read_text() == log
    assert all(torch.equal(a, b) for a, b in zip(after, again.state_dict().values(), strict=True))

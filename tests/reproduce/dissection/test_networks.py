import numpy as np
import torch

from spinexplain.config.tasks import TASKS
from spinexplain.explainers.dissection.samples import select_samples
from spinexplain.reproduce.dissection import networks
from spinexplain.reproduce.dissection.networks import (
    CLASSES,
    SHEETS,
    PeakNet,
    scratch_classifier,
    with_random_weights,
)
from toy_dissection import toy_grader, write_toy_cohort


def test_a_classifier_learns_sheets_once(tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "STEPS", 30)
    cohort = write_toy_cohort(tmp_path / "c", grades=("G0", "G3") * 8)
    samples = select_samples(cohort, SHEETS, TASKS["g0-g2-g3"])
    path = tmp_path / "net.safetensors"
    grader = scratch_classifier(samples, path)
    with torch.no_grad():
        logits = torch.cat([grader.model(x) for x in samples.batches(8)])
    called = np.array(CLASSES)[logits.argmax(dim=1).numpy()]
    assert np.mean(called == np.array(samples.grades)) > 0.9
    monkeypatch.setattr(networks, "_train", None)
    again = scratch_classifier(samples, path)
    state = grader.model.state_dict()
    assert all(torch.equal(state[name], one) for name, one in again.model.state_dict().items())


def test_the_global_generator_is_left_alone(tmp_path):
    grader = toy_grader()
    samples = select_samples(write_toy_cohort(tmp_path / "c"), grader.spec, grader.task)
    before = torch.random.get_rng_state()
    with_random_weights(grader, samples, 0)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_an_untrained_twin_has_other_weights(tmp_path):
    grader = toy_grader()
    samples = select_samples(write_toy_cohort(tmp_path / "c"), grader.spec, grader.task)
    one, two = (with_random_weights(grader, samples, seed) for seed in (0, 1))
    weights = [g.model.layers[0].weight for g in (grader, one, two)]
    assert not torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[1], weights[2])
    assert one.spec == grader.spec


def test_the_highest_cell_of_a_unit_counts():
    class Trunk(torch.nn.Module):
        channels = 2

        def forward(self, x):
            return x

    net = PeakNet(Trunk(), 2)
    x = torch.zeros(1, 2, 3, 3)
    x[0, 0, 1, 1], x[0, 1, 2, 0] = 4.0, 5.0
    expected = net.linear(torch.tensor([[4.0, 5.0]]))
    assert torch.allclose(net(x), expected)

import numpy as np

from spinexplain.explainers.answers import exported_network, input_logits
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.grader import answered


def test_torch_answers_in_batches(tiny_grader, random_patch):
    grader = tiny_grader(2)
    patches = [random_patch(2, seed) for seed in range(40)]
    inputs = grader.inputs(patches).numpy()
    assert np.allclose(input_logits(grader, inputs), grader.logits(patches), atol=1e-5)
    assert input_logits(grader, inputs[:0]).shape == (0, 3)
    assert exported_network(grader) is None


def test_the_exported_network_answers_where_there_is_one():
    grader, slow = (load_grader("protoverse-phantom", runtime=k) for k in ("auto", "torch"))
    inputs = np.random.default_rng(0).normal(size=(3, 3, 112, 112)).astype(np.float32)
    assert exported_network(grader) is grader.runtime
    assert exported_network(answered(grader, [])) is not None
    assert np.allclose(input_logits(grader, inputs), input_logits(slow, inputs), atol=1e-3)

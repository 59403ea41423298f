import json

import numpy as np
import pytest

from spinexplain.errors import ModelError, OutputError
from spinexplain.models.bundle.store import EXPORT, MANIFEST, load_grader
from spinexplain.models.runtime.export import Calibration, Gate, export_bundle, measure_gate
from spinexplain.models.runtime.exported import runs_bf16


@pytest.fixture
def noise():
    def make(n, axes=2):
        shape = (n, 3, *(32,) * axes)
        return Calibration(
            "noise", np.random.default_rng(3).uniform(-1, 1, shape).astype(np.float32)
        )

    return make


def listed(path):
    return set(json.loads((path / MANIFEST).read_text())["sha256"])


def test_an_export_is_the_bundle_and_more(saved_bundle, tmp_path):
    source = saved_bundle()
    path = export_bundle(source, tmp_path / "exported")
    added = {"model.onnx", "trunk.xml", "trunk.bin", "head.xml", "head.bin", EXPORT}
    assert listed(path) == listed(source) | added
    for name in listed(source):
        assert (path / name).read_bytes() == (source / name).read_bytes()
    assert not {p.suffix for p in path.iterdir()} & {".pkl", ".pt", ".ckpt", ".npy"}


def test_onnx_is_optional_and_an_export_may_be_made_again_in_place(saved_bundle):
    path = saved_bundle()
    export_bundle(path, path, onnx=False, force=True)
    assert "model.onnx" not in listed(path)
    first = {name: (path / name).read_bytes() for name in listed(path)}
    export_bundle(path, path, onnx=False, force=True)
    assert {name: (path / name).read_bytes() for name in listed(path)} == first
    with pytest.raises(OutputError, match="exists already"):
        export_bundle(path, path)


def test_without_calibration_it_is_fp32(saved_bundle, tmp_path):
    path = export_bundle(saved_bundle(), tmp_path / "exported")
    export = json.loads((path / EXPORT).read_text())
    assert (export["precision"], export["gate"]) == ("fp32", None)
    assert export["parity"] < 1e-4
    assert "fp32" in load_grader(path).info.runtime


@pytest.mark.skipif(not runs_bf16(), reason="the processor has no bf16")
@pytest.mark.parametrize(("limit", "precision"), [(0.5, "bf16"), (1e-6, "fp32")])
def test_the_gate_decides(saved_bundle, tmp_path, noise, monkeypatch, limit, precision):
    from spinexplain.models.runtime import export as module

    monkeypatch.setattr(module, "LARGEST_SIMILARITY_DIFFERENCE", limit)
    monkeypatch.setattr(module, "LEAST_SAME_GRADE", 0.5)
    path = export_bundle(saved_bundle(), tmp_path / "exported", noise(40))
    export = json.loads((path / EXPORT).read_text())
    assert export["precision"] == precision
    assert export["gate"]["passed"] == (precision == "bf16")
    assert 1e-6 < export["gate"]["similarity_difference"] < 0.5
    assert (export["gate"]["cohort"], export["gate"]["vertebrae"]) == ("noise", 40)
    assert precision in load_grader(path).info.runtime


@pytest.mark.parametrize(
    ("same", "difference", "passed"),
    [
        (1.0, 0.05, True),
        (0.995, None, True),
        (0.9949, 0.0, False),
        (1.0, 0.0501, False),
    ],
)
def test_the_limits_of_the_gate(same, difference, passed):
    assert Gate("cohort", 200, same, difference).passed is passed


def test_the_gate_measures_what_it_says(tmp_path, saved_bundle, noise, monkeypatch):
    """Against a stand-in that moves one similarity by 0.25 and turns one grade of four."""
    from spinexplain.models.bundle.folder import read_description
    from spinexplain.models.bundle.store import load_network
    from spinexplain.models.runtime import export

    path = saved_bundle()
    description = read_description(path)
    model, calibration = load_network(path, description), noise(4)

    class Moved:
        outputs = ("logits", "similarity_maps", "trunk")

        def run(self, inputs, names):
            found = export.torch_outputs(model, inputs, names)
            found["similarity_maps"][1, 2] += 0.25
            found["logits"][3] = -found["logits"][3]
            return found

    monkeypatch.setattr(export, "compiled", lambda *_: Moved())
    gate = measure_gate(model, path, description.input, calibration)
    assert gate.same_grade == 0.75
    assert gate.similarity_difference == pytest.approx(0.25, abs=1e-6)
    with pytest.raises(ModelError, match="holds no vertebra"):
        measure_gate(model, path, description.input, noise(0))


def test_a_layer_that_is_not_there_leaves_nothing_behind(saved_bundle, tmp_path):
    with pytest.raises(ModelError, match=r"no layer nope; expected some of .*trunk\.layers\.0"):
        export_bundle(saved_bundle(), tmp_path / "exported", layers=["nope"])
    assert not (tmp_path / "exported").exists()


def test_an_export_that_answers_otherwise_is_refused(saved_bundle, tmp_path, monkeypatch):
    from spinexplain.models.runtime import export

    wrong = export.compiled

    def shifted(*arguments):
        network = wrong(*arguments)

        class Shifted:
            outputs = network.outputs

            def run(self, inputs, names):
                return {name: value + 1 for name, value in network.run(inputs, names).items()}

        return Shifted()

    monkeypatch.setattr(export, "compiled", shifted)
    with pytest.raises(ModelError, match='gives another "logits" than the torch network'):
        export_bundle(saved_bundle(), tmp_path / "exported")
    assert not (tmp_path / "exported").exists()

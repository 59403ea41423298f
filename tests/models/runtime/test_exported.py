import subprocess
import sys

import numpy as np
import pytest

from spinexplain.models.bundle.store import load_grader
from spinexplain.models.grader import answered
from spinexplain.models.runtime.export import export_bundle
from spinexplain.models.runtime.exported import AnsweredPatches


@pytest.fixture
def exported(saved_bundle, tmp_path):
    def make(kind="prototype", axes=2, **head):
        out = tmp_path / f"exported-{kind}-{axes}"
        return export_bundle(saved_bundle(kind, axes, **head), out, layers=["trunk.layers.0"])

    return make


@pytest.fixture
def noise_patches(patch_of):
    def make(n, axes=2):
        rng = np.random.default_rng(0)
        levels = ("L1", "T12", "L2")
        return [patch_of(rng.normal(0, 300, (32,) * axes), levels[i % 3]) for i in range(n)]

    return make


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("kind", ["prototype", "linear"])
def test_grades_are_those_of_torch(exported, noise_patches, kind, axes):
    path, patches = exported(kind, axes), noise_patches(5, axes)
    by_runtime, by_torch = load_grader(path), load_grader(path, runtime="torch")
    assert by_runtime.runtime is not None
    assert by_torch.runtime is None
    assert by_torch.info.runtime == "torch"
    np.testing.assert_allclose(by_runtime.logits(patches), by_torch.logits(patches), atol=1e-3)
    for one, other in zip(by_runtime.grade(patches), by_torch.grade(patches), strict=True):
        assert one.grade == other.grade
        assert one.vertebra == other.vertebra
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-3)


def test_no_patches_no_answers(exported):
    network = load_grader(exported()).runtime
    found = network([], network.outputs)
    assert found["logits"].shape == (0, 3)
    assert found["similarity_maps"].shape == (0, 6, 8, 8)


def test_a_vertebra_gets_the_same_bits_whatever_comes_with_it(exported, noise_patches):
    grader, patches = load_grader(exported()), noise_patches(4)
    alone = np.concatenate([grader.logits([patch]) for patch in patches])
    np.testing.assert_array_equal(grader.logits(patches), alone)


def test_prototypes_are_explained_as_by_torch(exported, noise_patches):
    from spinexplain.explainers.prototypes import explain_prototypes

    path, (patch,) = exported(), noise_patches(1)
    graders = (load_grader(path), load_grader(path, runtime="torch"))
    one, other = (explain_prototypes(grader, patch, "G2") for grader in graders)
    assert one.evidence[0].field_mm == other.evidence[0].field_mm
    by_name = {item.name: item for item in other.evidence}
    for item in one.evidence:
        same = by_name[item.name]
        assert item.score == pytest.approx(same.score, abs=1e-3)
        assert item.terms == pytest.approx(dict(same.terms), abs=1e-3)
        np.testing.assert_allclose(item.heatmap, same.heatmap, atol=1e-3)
    logit = graders[0].logits([patch])[0, 1]
    assert sum(item.score for item in one.evidence) == pytest.approx(logit, abs=1e-4)


def test_answers_are_remembered_for_the_patches_asked_about(exported, noise_patches, monkeypatch):
    grader, patches, other = load_grader(exported()), noise_patches(3), noise_patches(1)
    expected = grader.logits(patches)
    remembering = answered(grader, patches)
    assert isinstance(remembering.runtime, AnsweredPatches)
    assert remembering.runtime.outputs == grader.runtime.outputs
    np.testing.assert_array_equal(remembering.logits(other), grader.logits(other))

    def forbidden(*_):
        raise AssertionError("ran again")

    monkeypatch.setattr(type(grader.runtime), "run", forbidden)
    np.testing.assert_array_equal(remembering.logits(patches[::-1]), expected[::-1])
    assert remembering.similarity_maps(patches[1:2]).shape == (1, 6, 8, 8)


def test_a_grader_in_torch_has_nothing_to_remember(exported, noise_patches):
    grader = load_grader(exported(), runtime="torch")
    assert answered(grader, noise_patches(1)) is grader


def test_layers_come_out_by_name(exported, noise_patches):
    from spinexplain.explainers.activations import layer_activations

    path, patches = exported(), noise_patches(2)
    for layer in ("trunk", "trunk.layers.0"):
        found = [
            layer_activations(load_grader(path, runtime=runtime), patches, layer)
            for runtime in ("auto", "torch")
        ]
        np.testing.assert_allclose(*found, atol=1e-4)


def test_gradients_still_have_their_network(exported, noise_patches):
    from spinexplain.explainers.registry import EXPLAINERS

    path, (patch,) = exported(), noise_patches(1)
    grader = load_grader(path)
    one = EXPLAINERS["gradcam"](grader, patch, "G2")
    other = EXPLAINERS["gradcam"](load_grader(path, runtime="torch"), patch, "G2")
    np.testing.assert_array_equal(one.evidence[0].heatmap, other.evidence[0].heatmap)
    assert grader.model is grader.model  # loaded once
    assert not hasattr(grader, "modell")


def test_grading_and_its_evidence_leave_torch_alone(exported):
    program = (
        "import sys\n"
        "from spinexplain.findings.assess import explain, grade\n"
        "from spinexplain.io.nifti import read_labels, read_volume\n"
        "from spinexplain.models.bundle.store import load_grader\n"
        "import numpy as np\n"
        "from spinexplain.anatomy import VertebraLevel\n"
        "from spinexplain.types import Vertebra, Volume\n"
        f"grader = load_grader({str(exported())!r})\n"
        "ct = Volume(np.zeros((40, 40, 40), np.int16), np.eye(4))\n"
        "found = grade(ct, centroids=[Vertebra(VertebraLevel('L1'), (20., 20., 20.))], "
        "models=[grader])\n"
        "assert found.vertebrae[0].assessments[0].explanation.evidence\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_without_openvino_torch_grades_and_says_so(exported, monkeypatch, noise_patches):
    path = exported()
    monkeypatch.setitem(sys.modules, "openvino", None)
    grader = load_grader(path)
    assert grader.runtime is None
    assert grader.info.runtime == (
        "torch (the bundle's export needs openvino, which is not installed)"
    )
    assert len(grader.grade(noise_patches(1))) == 1


def test_an_export_openvino_can_not_read_is_graded_in_torch(exported, monkeypatch):
    from spinexplain.models.bundle import store

    def broken(*_):
        raise RuntimeError("no such operation\nand a stack of frames")

    monkeypatch.setattr(store, "compiled", broken)
    info = load_grader(exported()).info
    assert info.runtime == "torch (openvino cannot run the bundle's export: no such operation)"


def test_an_export_of_other_weights_is_refused(exported, saved_bundle):
    from spinexplain.errors import ModelError
    from spinexplain.models.bundle.folder import write_manifest

    path, other = exported(), saved_bundle(features=2.0)
    (path / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes())
    write_manifest(path)
    with pytest.raises(ModelError, match="made from other weights"):
        load_grader(path)


def test_bf16_is_only_used_where_the_processor_has_it(exported, monkeypatch):
    from spinexplain.config.training import InputSpec
    from spinexplain.models.runtime import exported as runtime

    path, spec = exported(), InputSpec(extent_mm=32, size=32)
    monkeypatch.setattr(runtime, "_has_bf16", lambda _core: False)
    assert runtime.compiled(path, spec, "bf16").described.endswith("fp32")
    monkeypatch.setattr(runtime, "_has_bf16", lambda _core: True)
    assert runtime.compiled(path, spec, "bf16").described.endswith("bf16 trunk")

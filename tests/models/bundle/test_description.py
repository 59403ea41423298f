import json
from copy import deepcopy
from importlib import resources

import pytest
from pydantic import ValidationError

from spinexplain.models.bundle.description import BundleDescription, ManifestDescription

SHIPPED = resources.files("spinexplain") / "models" / "shipped" / "protoverse-phantom"


@pytest.fixture(scope="module")
def described():
    return json.loads((SHIPPED / "bundle.json").read_text())


def test_the_shipped_bundle_is_described_well(described):
    assert BundleDescription.model_validate(described).classes == ("G0", "G2", "G3")
    manifest = json.loads((SHIPPED / "manifest.json").read_text())
    assert "model.safetensors" in ManifestDescription.model_validate(manifest).sha256


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", "spinexplain/bundle/9"),
        ("name", 3),
        ("name", ""),
        ("classes", ["G0"]),
        ("classes", ["G0", "G0"]),
        ("scope", {"levels": ["Q1"], "max_outside": 0.3, "refused_flags": []}),
        ("scope", {"levels": [], "max_outside": 3, "refused_flags": []}),
        ("prototypes", [{"subject": "s"}]),
        ("unheard_of", 1),
    ],
)
def test_what_is_wrong_is_refused(described, key, value):
    with pytest.raises(ValidationError):
        BundleDescription.model_validate(deepcopy(described) | {key: value})


@pytest.mark.parametrize("sha256", [None, [], {"a": 1}])
def test_a_damaged_manifest_is_refused(sha256):
    with pytest.raises(ValidationError):
        ManifestDescription.model_validate({"schema": "spinexplain/bundle/1", "sha256": sha256})


@pytest.mark.parametrize(
    ("classes", "grades", "healthy", "fractured"),
    [
        (["G0", "G2", "G3"], None, "G0", ("G2", "G3")),
        (["fracture", "no fracture"], None, "no fracture", ("G2", "G3")),
        (["broken", "calm"], {"broken": ["G1", "G2"], "calm": ["G0"]}, "calm", ("G1", "G2")),
    ],
)
def test_the_task_of_an_old_bundle_is_derived(described, classes, grades, healthy, fractured):
    training = {} if grades is None else {"config": {"grades": grades}}
    old = deepcopy(described) | {"classes": classes, "training": training}
    assert "task" not in old
    task = BundleDescription.model_validate(old).task
    assert (task.healthy, task.fracture_grades) == (healthy, fractured)


def test_a_task_of_other_classes_is_refused(described):
    task = {"classes": ["G0", "G3"], "grades": [["G0"], ["G3"]], "healthy": "G0"}
    with pytest.raises(ValidationError, match="the classes are"):
        BundleDescription.model_validate(deepcopy(described) | {"task": task})
    twice = {"classes": ["G0", "G2", "G3"], "grades": [["G0"], ["G0"], []], "healthy": "G0"}
    with pytest.raises(ValidationError, match="puts G0 into two classes"):
        BundleDescription.model_validate(deepcopy(described) | {"task": twice})

"""The set of dependencies resolves, with CUDA builds of torch as well as without."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PINS = {
    name.lower().replace("_", "-"): Version(version)
    for name, version in re.findall(
        r"^([\w.-]+)==([^\s;]+)", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE
    )
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = ("train", "dicom")
INSTALLERS = {"setuptools", "pip", "wheel"}  # pip's own, which pip freeze leaves out


def key(name):
    return name.lower().replace("_", "-").replace(".", "-")


def required():
    """Return what the package and, in turn, all that it needs require here."""
    wanted = list(PROJECT["dependencies"])
    for extra in EXTRAS:
        wanted += PROJECT["optional-dependencies"][extra]
    queue = [(Requirement(line), "spinexplain") for line in wanted]
    seen, found = set(), []
    while queue:
        requirement, by = queue.pop()
        found.append((requirement, by))
        name = (key(requirement.name), tuple(sorted(requirement.extras)))
        if name in seen:
            continue
        seen.add(name)
        for line in metadata.requires(requirement.name) or ():
            further = Requirement(line)
            used = [{"extra": extra} for extra in (*requirement.extras, "")]
            if further.marker is None or any(further.marker.evaluate(e) for e in used):
                queue.append((further, requirement.name))
    return found


@pytest.fixture(scope="module")
def tree():
    return required()


def test_every_pin_satisfies_everything_that_asks_for_it(tree):
    pins = {key(name): version for name, version in PINS.items()}
    for requirement, by in tree:
        if key(requirement.name) in INSTALLERS:
            continue
        pin = pins.get(key(requirement.name))
        assert pin is not None, f"{by} needs {requirement}, which constraints.txt does not pin"
        assert requirement.specifier.contains(pin, prereleases=True), f"{by}: {requirement}"


def test_nothing_brings_torchvision_or_another_torch(tree):
    names = {key(requirement.name) for requirement, _ in tree}
    assert not names & {"torchvision", "torchaudio", "timm"}
    asked = [requirement for requirement, _ in tree if key(requirement.name) == "torch"]
    assert any(str(requirement.specifier) == "<2.14,>=2.6" for requirement in asked)
    # A CUDA build has a local version, which satisfies the pin without it.
    cuda = Version(f"{PINS['torch']}+cu128")
    for requirement in asked:
        assert requirement.specifier.contains(cuda)
    assert Requirement(f"torch=={PINS['torch']}").specifier.contains(cuda)


def test_the_page_on_cuda_names_the_pinned_torch():
    page = (ROOT / "docs" / "how-to" / "cuda.md").read_text()
    assert f"torch=={PINS['torch']} " in page
    assert "torch>=2.6,<2.14" in page
    assert "torch>=2.6,<2.14" in PROJECT["dependencies"]

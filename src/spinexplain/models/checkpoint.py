"""Model bundles: a folder of safetensors and JSON, hashed, without pickle.

``bundle.json`` describes the model, ``model.safetensors`` holds its weights,
``prototypes.safetensors`` the training patches behind the prototypes, ``MODEL_CARD.md``
says what it is for, and ``manifest.json`` holds the SHA-256 of every other file.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save as arrays_to_bytes
from safetensors.torch import load_file as load_tensors
from safetensors.torch import save as tensors_to_bytes

from spinexplain.config import HeadSettings, InputSpec, TrunkSettings
from spinexplain.errors import ModelError, SpinexplainError
from spinexplain.io.files import output_folder, sha256_file
from spinexplain.models.backbones import build_trunk
from spinexplain.models.build import Network, build_model
from spinexplain.models.description import (
    SCHEMA,
    BundleDescription,
    ManifestDescription,
)
from spinexplain.models.grader import Grader, Scope
from spinexplain.models.prototype import PrototypeNet
from spinexplain.models.receptive import upsample_map
from spinexplain.types import Exemplar, ModelInfo

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class PrototypeRecord:
    """Provenance of one prototype."""

    subject: str
    series: str
    level: str
    grade: str
    synthetic: bool
    cell: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Bundle:
    """A model and all that must be kept with it.

    Parameters
    ----------
    name, version : str
    model : Network
    classes : tuple of str
    spec : InputSpec
    trunk : TrunkSettings
    head : HeadSettings
    scope : Scope
    trained_on : str
        One sentence about the training data and its licence.
    card : str
        The model card, Markdown.
    records : tuple of PrototypeRecord
        One per prototype; empty for other models.
    patches_hu : ndarray of int16, shape (P, *E), or None
        Training crops behind the prototypes, at 1 mm.
    maps : ndarray of float32, shape (P, *G), or None
        Similarity map of each prototype on its own training crop.
    training : dict
        Settings and figures of the training, JSON-ready.
    """

    name: str
    version: str
    model: Network
    classes: tuple[str, ...]
    spec: InputSpec
    trunk: TrunkSettings
    head: HeadSettings
    scope: Scope
    trained_on: str
    card: str
    records: tuple[PrototypeRecord, ...] = ()
    patches_hu: np.ndarray | None = None
    maps: np.ndarray | None = None
    training: dict[str, Any] = field(default_factory=dict)


def save_bundle(bundle: Bundle, out: str | Path, force: bool = False) -> Path:
    """Write a bundle's folder, complete or not at all.

    Parameters
    ----------
    bundle : Bundle
    out : str or Path
        Folder to create.
    force : bool
        Replace an existing one.

    Raises
    ------
    OutputError
        If ``out`` exists and ``force`` is not set.
    """
    with output_folder(Path(out), force=force) as folder:
        state = {k: v.detach().contiguous() for k, v in bundle.model.state_dict().items()}
        (folder / "model.safetensors").write_bytes(tensors_to_bytes(state))
        if bundle.patches_hu is not None and bundle.maps is not None:
            arrays = {"patches_hu": bundle.patches_hu, "maps": bundle.maps}
            (folder / "prototypes.safetensors").write_bytes(arrays_to_bytes(arrays))
        _write_json(folder / "bundle.json", _description(bundle))
        (folder / "MODEL_CARD.md").write_text(bundle.card, encoding="utf-8")
        files = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
        hashes = {path.name: sha256_file(path) for path in files}
        _write_json(folder / MANIFEST, {"schema": SCHEMA, "sha256": hashes})
    return Path(out)


def load_grader(source: str | Path, device: str = "cpu") -> Grader:
    """Load a model bundle, from a folder or by the name of a shipped one.

    Parameters
    ----------
    source : str or Path
        A bundle's folder, or a name such as ``"protoverse-phantom"``.
    device : str

    Raises
    ------
    ModelError
        If there is no such bundle, a listed file is missing or changed, a description is
        damaged, or the schema is another.
    """
    folder = locate_bundle(source)
    manifest_hash = _verify(folder)
    try:
        description = BundleDescription.model_validate(_read_json(folder / "bundle.json"))
        return _grader(folder, description, manifest_hash, device)
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        if isinstance(error, SpinexplainError) and not isinstance(error, ValidationError):
            raise
        raise ModelError(
            f"{folder}: bundle.json and its arrays do not fit together ({error}). "
            "Save the bundle again."
        ) from error


def shipped_models() -> list[str]:
    """List the bundles that come with the package, sorted."""
    folder = _shipped_folder()
    return sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def _shipped_folder() -> Path:
    return Path(str(resources.files("spinexplain") / "models" / "bundles"))


def locate_bundle(source: str | Path) -> Path:
    """Return the folder of a bundle, given by itself or by the name of a shipped one.

    Raises
    ------
    ModelError
        If there is none.
    """
    if str(source) in shipped_models():
        return _shipped_folder() / str(source)
    folder = Path(source)
    if not (folder / MANIFEST).is_file():
        raise ModelError(
            f'model "{source}" is neither shipped ({", ".join(shipped_models()) or "none"}) nor '
            f"a folder with a {MANIFEST}. Check the name or the path."
        )
    return folder


def _verify(folder: Path) -> str:
    """Check every file against the manifest; return the manifest's own hash."""
    manifest = _read_json(folder / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        found = manifest.get("schema") if isinstance(manifest, dict) else type(manifest).__name__
        raise ModelError(
            f"{folder} has bundle schema {found!r}; expected {SCHEMA!r}. "
            f"Use the spinexplain version it was made with, or train it again."
        )
    try:
        listed = ManifestDescription.model_validate(manifest).sha256
    except ValidationError as error:
        raise ModelError(
            f"{folder / MANIFEST} is damaged ({error.errors()[0]['msg']}); expected the SHA-256 of "
            "every file. Copy the bundle again."
        ) from None
    if missing := {"bundle.json", "model.safetensors"} - set(listed):
        raise ModelError(f"{folder}: the manifest does not list {sorted(missing)}. Copy it again.")
    for name, expected in listed.items():
        _verify_file(folder, name, expected)
    return sha256_file(folder / MANIFEST)


def _verify_file(folder: Path, name: str, expected: str) -> None:
    path = folder / Path(name).name
    if not path.is_file():
        raise ModelError(f"{folder} has no {name}; the manifest lists it. Copy it again.")
    found = sha256_file(path)
    if found != expected:
        raise ModelError(
            f"{path} has changed: SHA-256 is {found[:12]}..., the manifest says "
            f"{expected[:12]}.... Copy the bundle again."
        )


def _grader(folder: Path, description: BundleDescription, digest: str, device: str) -> Grader:
    spec, classes = description.input, description.classes
    trunk = description.trunk.model_copy(update={"weights": "none"})
    with torch.random.fork_rng(devices=[]):
        model = build_model(build_trunk(trunk, spec), description.head, len(classes), spec)
    model.load_state_dict(load_tensors(folder / "model.safetensors"))
    info = ModelInfo(
        name=description.name,
        version=description.version,
        sha256=digest,
        classes=classes,
        trained_on=description.trained_on,
    )
    return Grader(
        model=model.to(device).eval(),
        spec=spec,
        classes=classes,
        info=info,
        scope=Scope(**description.scope.model_dump()),
        exemplars=_exemplars(folder, description, model, spec),
        explainer="prototypes" if isinstance(model, PrototypeNet) else "gradcam",
        device=device,
    )


def _exemplars(
    folder: Path, description: BundleDescription, model: Network, spec: InputSpec
) -> tuple[Exemplar, ...]:
    records = description.prototypes
    wanted = len(model.prototype_class) if isinstance(model, PrototypeNet) else 0
    if len(records) != wanted:
        raise ModelError(
            f"{folder} describes {len(records)} prototypes; expected {wanted}, one for each of "
            "the network's. Save the bundle again."
        )
    if not records:
        return ()
    arrays = load_arrays(folder / "prototypes.safetensors")
    patches, maps = arrays["patches_hu"].astype(np.float32), arrays["maps"]
    if len(patches) != len(records) or len(maps) != len(records):
        raise ModelError(
            f"{folder} stores {len(patches)} prototype patches; expected {len(records)}. "
            "Save the bundle again."
        )
    pixels = spec.size / patches.shape[1]
    return tuple(
        Exemplar(
            array=patch,
            heatmap=upsample_map(cells, patch.shape, model.trunk.field, pixels),
            subject=record.subject,
            series=record.series,
            level=record.level,
            grade=record.grade,
            synthetic=record.synthetic,
            cell=tuple(record.cell),
        )
        for record, patch, cells in zip(records, patches, maps, strict=True)
    )


def _description(bundle: Bundle) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "name": bundle.name,
        "version": bundle.version,
        "package_version": metadata.version("spinexplain"),
        "classes": list(bundle.classes),
        "input": bundle.spec.model_dump(mode="json"),
        "trunk": bundle.trunk.model_dump(mode="json"),
        "head": bundle.head.model_dump(mode="json"),
        "scope": asdict(bundle.scope),
        "trained_on": bundle.trained_on,
        "prototypes": [asdict(record) for record in bundle.records],
        "training": bundle.training,
    }


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path} can not be read as JSON ({error}). Copy it again.") from None

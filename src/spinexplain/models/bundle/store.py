"""Model bundles: a folder of safetensors and JSON, hashed, without pickle.

``bundle.json`` describes the model, ``model.safetensors`` holds its weights,
``prototypes.safetensors`` the training patches behind the prototypes, ``MODEL_CARD.md``
says what it is for, and ``manifest.json`` holds the SHA-256 of every other file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save as arrays_to_bytes

from spinexplain.config.heads import head_of
from spinexplain.config.tasks import Task
from spinexplain.config.training import HeadSettings, InputSpec, TrunkSettings
from spinexplain.errors import ConfigError, ModelError, SpinexplainError
from spinexplain.io.files import output_folder, sha256_file
from spinexplain.models.bundle.description import (
    SCHEMA,
    BundleDescription,
    ExportDescription,
)
from spinexplain.models.bundle.evidence import read_evidence
from spinexplain.models.bundle.folder import (
    MANIFEST,
    locate,
    read_description,
    read_json,
    shipped_models,
    verify,
    write_json,
    write_manifest,
)
from spinexplain.models.bundle.sides import read_sides
from spinexplain.models.grader import ExportedGrader, Grader, Scope
from spinexplain.models.heads.prototype_head import head_from_arrays
from spinexplain.models.receptive import ReceptiveField, upsample_map
from spinexplain.models.runtime.exported import ExportedNetwork, compiled
from spinexplain.types import Exemplar, ModelInfo, Provenance

if TYPE_CHECKING:  # torch is imported where a network is built or saved, and not before
    from spinexplain.models.build import Network

EXPORT = "export.json"

__all__ = [
    "EXPORT",
    "MANIFEST",
    "SCHEMA",
    "Bundle",
    "PrototypeRecord",
    "RuntimeChoice",
    "load_grader",
    "load_network",
    "save_bundle",
    "shipped_models",
]

RuntimeChoice = Literal["auto", "torch"]


@dataclass(frozen=True)
class PrototypeRecord:
    """Which training crop a prototype is, and which cell of it.

    ``patch_sha256`` is that of the training crop as the cohort stores it, margin and all
    (int16 HU, little-endian), so that the crop is recognized among others of its name.
    """

    provenance: Provenance
    cell: tuple[int, ...]
    patch_sha256: str = ""


@dataclass(frozen=True, eq=False)
class Bundle:
    """A model and all that must be kept with it.

    Parameters
    ----------
    name, version : str
    model : Network
    task : Task
        The classes of the logits and what they stand for.
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
        Training crops behind the prototypes, at 1 mm; None withholds their pixels.
    maps : ndarray of float32, shape (P, *G), or None
        Similarity map of each prototype on its own training crop.
    training : dict
        Settings and figures of the training, JSON-ready.
    """

    name: str
    version: str
    model: Network
    task: Task
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
    from safetensors.torch import save as tensors_to_bytes

    with output_folder(Path(out), force=force) as folder:
        state = {k: v.detach().contiguous() for k, v in bundle.model.state_dict().items()}
        (folder / "model.safetensors").write_bytes(tensors_to_bytes(state))
        if bundle.maps is not None:
            arrays = {"maps": bundle.maps}
            if bundle.patches_hu is not None:
                arrays["patches_hu"] = bundle.patches_hu
            (folder / "prototypes.safetensors").write_bytes(arrays_to_bytes(arrays))
        write_json(folder / "bundle.json", _description(bundle))
        (folder / "MODEL_CARD.md").write_text(bundle.card, encoding="utf-8")
        write_manifest(folder)
    return Path(out)


def load_grader(source: str | Path, device: str = "cpu", runtime: RuntimeChoice = "auto") -> Grader:
    """Load a model bundle, from a folder or by the name of a shipped one.

    Parameters
    ----------
    source : str or Path
        A bundle's folder, or a name such as ``"protoverse-phantom"``.
    device : str
        Another one than ``"cpu"`` runs in torch.
    runtime : str
        ``"auto"`` grades with the bundle's exported network where it has one and openvino is
        installed; torch is imported then only for what needs gradients. ``"torch"`` never.
        ``info.runtime`` says which came out, and why.

    Raises
    ------
    ModelError
        If there is no such bundle, a listed file is missing or changed, a description is
        damaged, or the schema is another.
    """
    folder = locate(source)
    manifest_hash = verify(folder)
    try:
        description = read_description(folder)
        if runtime == "auto" and device == "cpu" and (folder / EXPORT).is_file():
            return _exported_grader(folder, description, manifest_hash)
        return _grader(folder, description, manifest_hash, device)
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        if isinstance(error, SpinexplainError) and not isinstance(error, ValidationError):
            raise
        raise ModelError(
            f"{folder}: bundle.json and its arrays do not fit together ({error}). "
            "Save the bundle again."
        ) from error


def check_device(device: str) -> None:
    """Refuse a device that torch does not have here.

    Raises
    ------
    ConfigError
        Saying what to install.
    """
    import torch

    if device not in ("cpu", "cuda"):
        raise ConfigError(f'device is "{device}"; expected "cpu" or "cuda".')
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            'device is "cuda", but torch finds no CUDA device. Install a CUDA build of torch '
            '(how-to/cuda in the documentation), or use "cpu".'
        )


def load_network(folder: Path, description: BundleDescription, device: str = "cpu") -> Network:
    """Build a bundle's torch network with its weights, in evaluation mode."""
    import torch
    from safetensors.torch import load_file as load_tensors

    from spinexplain.models.build import build_model
    from spinexplain.models.trunks.backbones import build_trunk

    spec, classes = description.input, description.classes
    trunk = description.trunk.model_copy(update={"weights": "none"})
    with torch.random.fork_rng(devices=[]):
        model = build_model(build_trunk(trunk, spec), description.head, len(classes), spec)
    model.load_state_dict(load_tensors(folder / "model.safetensors"))
    return model.to(device).eval()


def _grader(
    folder: Path, description: BundleDescription, digest: str, device: str, runtime: str = "torch"
) -> Grader:
    from spinexplain.models.heads.prototype import PrototypeNet

    check_device(device)
    model = load_network(folder, description, device)
    owners = model.prototype_class if isinstance(model, PrototypeNet) else ()
    return Grader(
        model=model,
        spec=description.input,
        task=description.task,
        info=_info(folder, description, digest, runtime),
        scope=Scope(**description.scope.model_dump()),
        exemplars=_exemplars(folder, description, len(owners), model.trunk.field),
        explainer=head_of(description.head.kind).explainer,
        device=device,
    )


def _exported_grader(folder: Path, description: BundleDescription, digest: str) -> Grader:
    """Grade with the exported network; with torch, and a word on why, where that fails."""
    export = ExportDescription.model_validate(read_json(folder / EXPORT))
    if export.weights_sha256 != sha256_file(folder / "model.safetensors"):
        raise ModelError(
            f"{folder}: {EXPORT} was made from other weights than model.safetensors. "
            "Export the bundle again."
        )
    network = _compiled(folder, description, export)
    if isinstance(network, str):
        return _grader(folder, description, digest, "cpu", runtime=f"torch ({network})")
    field, kind = ReceptiveField(**export.field.model_dump()), head_of(description.head.kind)
    connections, owner = np.zeros((0, 0), np.float32), np.zeros(0, int)
    if kind.has_prototypes:
        with safe_open(folder / "model.safetensors", framework="numpy") as tensors:
            connections, owner = map(tensors.get_tensor, ("last_layer.weight", "prototype_class"))
    head = (
        head_from_arrays(connections, owner, field, description.head)
        if kind.has_prototypes
        else None
    )
    return ExportedGrader(
        spec=description.input,
        task=description.task,
        info=_info(folder, description, digest, network.described),
        scope=Scope(**description.scope.model_dump()),
        exemplars=_exemplars(folder, description, len(owner), field),
        explainer=kind.explainer,
        runtime=network,
        load_model=partial(load_network, folder, description),
        head=head,
    )


def _compiled(
    folder: Path, description: BundleDescription, export: ExportDescription
) -> ExportedNetwork | str:
    """Compile the exported network, or say why it cannot be used here."""
    try:
        return compiled(folder, description.input, export.precision)
    except ModuleNotFoundError:
        return "the bundle's export needs openvino, which is not installed"
    except RuntimeError as error:
        return f"openvino cannot run the bundle's export: {str(error).splitlines()[0]}"


def _info(folder: Path, description: BundleDescription, digest: str, runtime: str) -> ModelInfo:
    weights = sha256_file(folder / "model.safetensors")
    return ModelInfo(
        name=description.name,
        version=description.version,
        sha256=digest,
        classes=description.classes,
        trained_on=description.trained_on,
        runtime=runtime,
        weights_sha256=weights,
        evidence=read_evidence(folder, weights),
        sides=read_sides(folder, weights),
    )


def _exemplars(
    folder: Path, description: BundleDescription, wanted: int, field: ReceptiveField
) -> tuple[Exemplar, ...]:
    records = description.prototypes
    if len(records) != wanted:
        raise ModelError(
            f"{folder} describes {len(records)} prototypes; expected {wanted}, one for each of "
            "the network's. Save the bundle again."
        )
    if not records:
        return ()
    arrays = load_arrays(folder / "prototypes.safetensors")
    maps, spec = arrays["maps"], description.input
    side = round(spec.extent_mm)
    withheld = [None] * len(records)
    patches = [*arrays["patches_hu"].astype(np.float32)] if "patches_hu" in arrays else withheld
    if len(patches) != len(records) or len(maps) != len(records):
        raise ModelError(
            f"{folder} stores {len(patches)} prototype patches; expected {len(records)}. "
            "Save the bundle again."
        )
    return tuple(
        Exemplar(
            array=patch,
            heatmap=upsample_map(cells, (side,) * spec.axes, field, spec.size / side),
            provenance=record.provenance,
            cell=tuple(record.cell),
        )
        for record, patch, cells in zip(records, patches, maps, strict=True)
    )


def _record(record: PrototypeRecord) -> dict[str, Any]:
    rest = {"cell": record.cell, "patch_sha256": record.patch_sha256}
    return asdict(record.provenance) | rest


def _description(bundle: Bundle) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "name": bundle.name,
        "version": bundle.version,
        "package_version": metadata.version("spinexplain"),
        "classes": list(bundle.task.classes),
        "task": asdict(bundle.task),
        "input": bundle.spec.model_dump(mode="json"),
        "trunk": bundle.trunk.model_dump(mode="json"),
        "head": bundle.head.model_dump(mode="json"),
        "scope": asdict(bundle.scope),
        "trained_on": bundle.trained_on,
        "prototypes": [_record(record) for record in bundle.records],
        "training": bundle.training,
    }

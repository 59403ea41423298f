"""A finished run, or a bundle alone, opened to look into its prototypes."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spinexplain.config.training import TrainConfig, parse_config
from spinexplain.errors import ModelError
from spinexplain.models.bundle.description import BundleDescription
from spinexplain.models.bundle.folder import MANIFEST, locate, read_description, shipped_models
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.grader import Grader
from spinexplain.models.heads.prototype import PrototypeNet

COHORT_FILE = "cohort.json"


@dataclass(frozen=True, eq=False)
class OpenedRun:
    """A prototype model and what its run remembers.

    Parameters
    ----------
    grader : Grader
        Of a :class:`~spinexplain.models.heads.prototype.PrototypeNet`.
    description : BundleDescription
    config : TrainConfig or None
        None where the bundle does not hold its settings.
    before : ndarray, shape (P, D), or None
        Prototypes before projection, None where no checkpoint fits the bundle.
    cohort : Path or None
        Where the run found its cohort.
    split : str or None
        What it took of it.
    fingerprint : str or None
        See :func:`spinexplain.data.crops.fingerprint.fingerprint`.
    """

    grader: Grader
    description: BundleDescription
    config: TrainConfig | None
    before: np.ndarray | None
    cohort: Path | None
    split: str | None
    fingerprint: str | None

    @property
    def model(self) -> PrototypeNet:
        """The network."""
        assert isinstance(self.grader.model, PrototypeNet)
        return self.grader.model


def open_run(source: str | Path, bundle: str | Path | None = None) -> OpenedRun:
    """Open a run's folder, a bundle's folder or a shipped model.

    Parameters
    ----------
    source : str or Path
        What ``train`` wrote, or what ``load_grader`` takes.
    bundle : str or Path, optional
        The run's bundle where it is not in the run's folder.

    Raises
    ------
    ModelError
        If there is no bundle, or its model has no prototypes.
    """
    folder = None if str(source) in shipped_models() or _is_bundle(source) else Path(source)
    at = bundle or (source if folder is None else folder / "bundle")
    if folder is not None and not folder.is_dir():
        raise ModelError(
            f'"{source}" is neither a run, a bundle nor a shipped model '
            f"({', '.join(shipped_models())}). Check the path."
        )
    if folder is not None and bundle is None and not _is_bundle(at):
        raise ModelError(
            f"{folder} holds no finished model: there is no {Path(at) / MANIFEST}. "
            "Let the training end, or name the bundle with --bundle."
        )
    # The network itself, not an export of it: the atlas needs its latent space.
    grader, description = load_grader(at, runtime="torch"), read_description(locate(at))
    if not isinstance(grader.model, PrototypeNet):
        raise ModelError(
            f'model "{grader.info.name}" has no prototypes; expected a run of protoverse or '
            "protopnet."
        )
    before = None if folder is None else _before_projection(folder, grader.model)
    cohort = known_cohort(folder, description)
    return OpenedRun(
        grader=grader,
        description=description,
        config=settings_of(description),
        before=before,
        cohort=Path(cohort["path"]) if "path" in cohort else None,
        split=cohort.get("split"),
        fingerprint=cohort.get("fingerprint"),
    )


def _is_bundle(source: str | Path) -> bool:
    return (Path(source) / MANIFEST).is_file()


def settings_of(description: BundleDescription) -> TrainConfig | None:
    """Return the settings a model was trained by; None where its bundle does not hold them."""
    content = description.training.get("config")
    return parse_config(content, "bundle.json") if isinstance(content, dict) else None


def known_cohort(folder: Path | None, description: BundleDescription) -> Mapping[str, str]:
    """Return what run and bundle say about the cohort: path, split, fingerprint.

    Raises
    ------
    ModelError
        If the run's note cannot be read.
    """
    stated = description.training.get("cohort")
    known = dict(stated) if isinstance(stated, dict) else {}
    path = None if folder is None else folder / COHORT_FILE
    if path is not None and path.is_file():
        try:
            known |= json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(
                f"{path} cannot be read ({error}); expected the cohort's path and fingerprint. "
                "Delete it and name the cohort with --cohort."
            ) from None
    return {key: value for key, value in known.items() if isinstance(value, str)}


def _before_projection(folder: Path, model: PrototypeNet) -> np.ndarray | None:
    """Return the prototypes of the one joint checkpoint whose trunk is the bundle's."""
    for path in sorted(folder.glob("joint-*.ckpt")):
        state = _model_state(path)
        if _same_features(state, model):
            return np.asarray(state["prototypes"].double().numpy())
    return None


def _model_state(path: Path) -> Mapping[str, Tensor]:
    try:
        content: Any = torch.load(path, weights_only=True, map_location="cpu")
        return dict(content["model"])
    except (OSError, RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelError(
            f"{path} is no checkpoint of a training ({type(error).__name__}). Delete it; the "
            "atlas then goes without the time before projection."
        ) from None


def _same_features(state: Mapping[str, Tensor], model: PrototypeNet) -> bool:
    own = {k: v for k, v in model.state_dict().items() if k.startswith(("trunk.", "add_on."))}
    return (
        own.keys() <= state.keys()
        and "prototypes" in state
        and state["prototypes"].shape == model.prototypes.shape
        and all(torch.equal(state[name], value) for name, value in own.items())
    )

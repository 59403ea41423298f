"""Export of model bundles: ONNX for others, OpenVINO for our own grading, and the gate on bf16."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from spinexplain.config.training import InputSpec
from spinexplain.errors import ModelError
from spinexplain.io.files import output_folder, sha256_file
from spinexplain.models.build import Network
from spinexplain.models.bundle.description import EXPORT_SCHEMA
from spinexplain.models.bundle.folder import (
    locate,
    read_description,
    verify,
    write_json,
    write_manifest,
)
from spinexplain.models.bundle.store import EXPORT, load_network
from spinexplain.models.runtime.exported import LOGITS, MAPS, compiled, runs_bf16
from spinexplain.models.runtime.onnx_export import ONNX_FILE, Answers, write_halves, write_onnx

Precision = Literal["bf16", "fp32"]

LEAST_SAME_GRADE = 0.995
LARGEST_SIMILARITY_DIFFERENCE = 0.05
_LARGEST_PARITY = 1e-3
_BATCH = 16


@dataclass(frozen=True, eq=False)
class Calibration:
    """Inputs on which reduced precision has to give the grades of the torch network.

    Parameters
    ----------
    name : str
        Of the cohort.
    inputs : ndarray of float32, shape (N, C, size, ...)
        Network inputs; at least one.
    """

    name: str
    inputs: np.ndarray


@dataclass(frozen=True)
class Gate:
    """How far a reduced precision is from the torch network.

    Parameters
    ----------
    cohort : str
    vertebrae : int
    same_grade : float
        Share of vertebrae with the same grade.
    similarity_difference : float or None
        Largest difference of the similarity of a prototype's best cell; None for a
        network without prototypes.

    Examples
    --------
    >>> Gate("cohort", 400, 0.9975, 0.01).passed
    True
    >>> Gate("cohort", 400, 0.9975, 0.08).passed
    False
    """

    cohort: str
    vertebrae: int
    same_grade: float
    similarity_difference: float | None

    @property
    def passed(self) -> bool:
        """Whether the difference is small enough to grade with."""
        difference = self.similarity_difference or 0.0
        return self.same_grade >= LEAST_SAME_GRADE and difference <= LARGEST_SIMILARITY_DIFFERENCE


def export_bundle(
    source: str | Path,
    out: str | Path,
    calibration: Calibration | None = None,
    layers: Sequence[str] = (),
    onnx: bool = True,
    force: bool = False,
) -> Path:
    """Copy a bundle and add its network as ONNX and for OpenVINO.

    Parameters
    ----------
    source : str or Path
        A bundle's folder, or the name of a shipped one.
    out : str or Path
        Folder to create; with ``force`` it may be the source itself.
    calibration : Calibration, optional
        Without it the whole network is exported in fp32.
    layers : sequence of str
        Submodules whose outputs the exported network gives too; it always gives the
        trunk's.
    onnx : bool
        Whether to keep ``model.onnx``, which our own grading does not need.
    force : bool
        Replace an existing bundle.

    Returns
    -------
    Path
        ``out``.

    Raises
    ------
    ModelError
        If there is no such bundle or layer, or the exported network answers otherwise than
        the torch network.
    OutputError
        If ``out`` exists and ``force`` is not set.

    Notes
    -----
    The gate: a bf16 trunk with an fp32 head is used if it gives the same grade on 99.5 % of
    the calibration's vertebrae and no prototype's similarity moves by more than 0.05;
    fp32 otherwise. What was measured and decided stands in ``export.json``.
    """
    folder = locate(source)
    verify(folder)
    description = read_description(folder)
    model = load_network(folder, description)
    with output_folder(Path(out), force=force) as target:
        for path in _own_files(folder):
            shutil.copyfile(path, target / path.name)
        answers = Answers(model, layers)
        write_onnx(answers, description.input, target / ONNX_FILE)
        write_halves(target / ONNX_FILE, answers.names, target)
        parity = _parity(model, target, description.input, answers.names)
        gate, precision, reason = decide(model, target, description.input, calibration)
        if not onnx:
            (target / ONNX_FILE).unlink()
        content = _stated(target, model, answers.names, precision, reason, parity, gate)
        write_json(target / EXPORT, content)
        write_manifest(target)
    return Path(out)


def decide(
    model: Network, folder: Path, spec: InputSpec, calibration: Calibration | None
) -> tuple[Gate | None, Precision, str]:
    """Choose the trunk's precision, and say why."""
    if calibration is None:
        return None, "fp32", "no calibration cohort was given"
    if not runs_bf16():
        return None, "fp32", "the processor of the export cannot run bf16"
    gate = measure_gate(model, folder, spec, calibration)
    if gate.passed:
        return gate, "bf16", "bf16 passed the gate"
    return gate, "fp32", "bf16 did not pass the gate"


def measure_gate(model: Network, folder: Path, spec: InputSpec, calibration: Calibration) -> Gate:
    """Compare the exported network with a bf16 trunk to the torch network.

    Parameters
    ----------
    model : Network
    folder : Path
        With the exported halves.
    spec : InputSpec
    calibration : Calibration

    Raises
    ------
    ModelError
        If the calibration holds nothing.
    """
    if not len(calibration.inputs):
        raise ModelError(
            f"calibration cohort {calibration.name} holds no vertebra; expected some hundreds. "
            "Give another one."
        )
    network = compiled(folder, spec, "bf16")
    names = [name for name in (LOGITS, MAPS) if name in network.outputs]
    same, differences = [], [0.0]
    for start in range(0, len(calibration.inputs), _BATCH):
        inputs = calibration.inputs[start : start + _BATCH]
        expected, found = torch_outputs(model, inputs, names), network.run(inputs, names)
        same.append(expected[LOGITS].argmax(axis=1) == found[LOGITS].argmax(axis=1))
        if MAPS in names:
            best = (
                answer[MAPS].reshape(*answer[MAPS].shape[:2], -1) for answer in (expected, found)
            )
            one, other = (cells.max(axis=2) for cells in best)
            differences.append(float(np.abs(one - other).max()))
    return Gate(
        cohort=calibration.name,
        vertebrae=len(calibration.inputs),
        same_grade=float(np.concatenate(same).mean()),
        similarity_difference=max(differences) if MAPS in names else None,
    )


@torch.inference_mode()
def torch_outputs(
    model: Network, inputs: np.ndarray, names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return what the torch network answers, by the names of an exported one."""
    answers = Answers(model, [name for name in names if name not in (LOGITS, MAPS)])
    found = answers(torch.from_numpy(inputs))
    return {name: value.numpy() for name, value in zip(answers.names, found, strict=True)}


def _own_files(folder: Path) -> list[Path]:
    """List the files of a bundle without those of an earlier export and the manifest."""
    kept = ("bundle.json", "MODEL_CARD.md", "model.safetensors", "prototypes.safetensors")
    return [folder / name for name in kept if (folder / name).is_file()]


def _parity(model: Network, folder: Path, spec: InputSpec, names: Sequence[str]) -> float:
    """Return the largest difference of a logit in fp32, on noise; refuse a wrong export."""
    shape = (2, len(spec.channels), *(spec.size,) * spec.axes)
    inputs = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    expected = torch_outputs(model, inputs, names)
    found = compiled(folder, spec, "fp32").run(inputs, names)
    for name in names:
        scale = max(1.0, float(np.abs(expected[name]).max()))
        difference = float(np.abs(expected[name] - found[name]).max()) / scale
        if not difference <= _LARGEST_PARITY:
            raise ModelError(
                f'the exported network gives another "{name}" than the torch network (relative '
                f"difference {difference:.2g}); expected at most {_LARGEST_PARITY}. Export other "
                "layers, or grade with torch."
            )
    return float(np.abs(expected[LOGITS] - found[LOGITS]).max())


def _stated(
    folder: Path,
    model: Network,
    names: Sequence[str],
    precision: Precision,
    reason: str,
    parity: float,
    gate: Gate | None,
) -> dict[str, Any]:
    field = model.trunk.field
    limits = {
        "least_same_grade": LEAST_SAME_GRADE,
        "largest_similarity_difference": LARGEST_SIMILARITY_DIFFERENCE,
    }
    return {
        "schema": EXPORT_SCHEMA,
        "weights_sha256": sha256_file(folder / "model.safetensors"),
        "precision": precision,
        "reason": reason,
        "outputs": list(names),
        "field": {"size": field.size, "stride": field.stride, "start": field.start},
        "parity": parity,
        "gate": None if gate is None else {**vars(gate), **limits, "passed": gate.passed},
        "versions": {
            name: version(name).partition("+")[0] for name in ("onnx", "openvino", "torch")
        },
    }

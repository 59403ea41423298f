"""What the shipped prototypes are compared with: the same training but for one thing.

Written down before any of them was trained: every control starts from the trunk of the shipped
model's training, on its sheets, with its number of steps, rates and average of the weights. All
are trained in bfloat16 where the processor has it, in which they take half the time; the shipped
model was trained in float32. Two differ from it in that and the seed alone, and say what a
training's luck is worth. One has the paper's prototypes without parts and no diversity term. One
is ProtoPNet, with the head of the preset ``protopnet``. One is the plain classifier of the preset
``baseline``. One is the same classifier, supervised by the truth that the shipped model's
prototypes are: its class activation maps are asked to lie on the evidence, at the same weight,
and it sees the same sampling. Nothing is chosen among them.
"""

from __future__ import annotations

from pathlib import Path

import torch

from spinexplain.config.training import TrainConfig, read_config
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.models.bundle.store import save_bundle
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_prototypes import (
    FIRST_PRESET,
    TRAINING,
    from_trunk,
    named_trunk,
    read_all,
    taken_trunk,
    trained_on,
)
from spinexplain.train.grading.package import PHANTOM_LICENCE, Statement, bundle_of, scope_of
from spinexplain.train.grading.recipes import train_model
from spinexplain.train.grading.run import Trained

CONTROLS = (
    *("seed-1", "seed-2", "without-parts", "protopnet"),
    *("plain-classifier", "supervised-classifier"),
)
PRECISION = "bf16"


def control_settings(name: str, trunk: str) -> TrainConfig:
    """Return the settings of one control by its name in ``CONTROLS``.

    Parameters
    ----------
    name : str
    trunk : str
        File of the trunk's tensors that the training starts from.

    Examples
    --------
    >>> plain, shipped = control_settings("plain-classifier", ""), control_settings("seed-1", "")
    >>> plain.classifier.steps == shipped.warm.steps + shipped.joint.steps
    True
    >>> control_settings("without-parts", "").loss.lambda_div
    0.0
    >>> control_settings("protopnet", "").projection.allow_duplicates
    True
    >>> supervised = control_settings("supervised-classifier", "")
    >>> supervised.loss.lambda_place == shipped.loss.lambda_place
    True
    """
    if name.startswith("seed-"):
        return _fast(trunk, int(name.removeprefix("seed-")))
    return _OTHERS[name](trunk)


def _fast(trunk: str, seed: int) -> TrainConfig:
    config = from_trunk(trunk, seed)
    return config.model_copy(
        update={"joint": config.joint.model_copy(update={"precision": PRECISION})}
    )


def _without_parts(trunk: str) -> TrainConfig:
    bare = read_config(FIRST_PRESET)
    loss = bare.loss.model_copy(update={"lambda_div": 0.0})
    return _phases_of_shipped(bare.model_copy(update={"loss": loss}), trunk)


def _phases_of_shipped(bare: TrainConfig, trunk: str) -> TrainConfig:
    shipped = _fast(trunk, 0)
    return bare.model_copy(
        update={name: getattr(shipped, name) for name in ("trunk", "classifier", "warm", "joint")}
    )


def _plain_classifier(trunk: str) -> TrainConfig:
    shipped, bare = _fast(trunk, 0), read_config("baseline")
    steps = shipped.warm.steps + shipped.joint.steps
    phase = shipped.joint.model_copy(update={"steps": steps})
    return bare.model_copy(update={"trunk": shipped.trunk, "classifier": phase})


def _protopnet(trunk: str) -> TrainConfig:
    return _phases_of_shipped(read_config("protopnet"), trunk)


def _supervised_classifier(trunk: str) -> TrainConfig:
    """Give the plain classifier all that the shipped training has but prototypes and parts."""
    shipped, plain = _fast(trunk, 0), _plain_classifier(trunk)
    same = ("lambda_place", "class_weights")
    loss = plain.loss.model_copy(update={name: getattr(shipped.loss, name) for name in same})
    seen = {name: getattr(shipped, name) for name in ("sampling", "twin_share")}
    return plain.model_copy(update={"loss": loss, **seen})


_OTHERS = {
    "without-parts": _without_parts,
    "protopnet": _protopnet,
    "plain-classifier": _plain_classifier,
    "supervised-classifier": _supervised_classifier,
}


def train_controls(setting: Setting, names: tuple[str, ...] = CONTROLS) -> dict[str, Path]:
    """Train controls, or take them up; return where each one's bundle lies.

    Parameters
    ----------
    setting : Setting
        Its ``work`` holds the sheets that the shipped training draws.
    names : tuple of str
        Of ``CONTROLS``.
    """
    torch.set_num_threads(1)
    folder = setting.work / "prototypes"
    folder.mkdir(parents=True, exist_ok=True)
    trunk = taken_trunk(folder)
    data = read_all(setting, TRAINING)
    return {name: _trained(name, trunk, data, setting) for name in names}


def _trained(name: str, trunk: Path, data: TrainingSet, setting: Setting) -> Path:
    folder = setting.work / "prototypes"
    run = train_model(
        control_settings(name, str(trunk)),
        data,
        folder / f"run-{name}",
        resume=True,
        progress=setting.progress,
    )
    save_bundle(bundle_of(named_trunk(run), _stated(name, run)), folder / name, force=True)
    return folder / name


def _stated(name: str, run: Trained) -> Statement:
    return Statement(
        name=f"control-{name}",
        version="1",
        trained_on=trained_on(),
        scope=scope_of(run),
        results={},
        training={},
        data_licence=PHANTOM_LICENCE,
    )

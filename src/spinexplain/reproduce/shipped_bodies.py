"""The training of the network that paints vertebral bodies, on phantoms alone.

Everything is a function of presets, seed and counts below. What was drawn or trained before an
interruption is taken up.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import nn

from spinexplain.localizer.networks import save_networks, stored_network
from spinexplain.models.body_network import BodyNetwork
from spinexplain.reproduce.setting import Setting
from spinexplain.train.localizer.body_crops import body_crops
from spinexplain.train.localizer.body_training import (
    read_crops,
    train_bodies,
    train_bodies_on,
    write_crops,
)

PRESETS, SEED, PERSONS, PER_BODY = ("verse-like-2", "hospital-like", "balanced-2"), 11, 130, 2
PERSONS_FURTHER = 320
"""That the network is trained on with: those of before and the next ones."""


def train_body_network(setting: Setting, out: Path, version: str) -> None:
    """Draw the training crops, train the body network and store it beside the others.

    Parameters
    ----------
    setting : Setting
    out : Path
        Folder of the localizer.
    version : str
        Of the localizer.
    """
    torch.set_num_threads(1)
    examples = read_crops(drawn_crops(setting))
    network = train_bodies(examples, _run(setting), progress=setting.progress)
    _store_further(setting, network, out, version)


def train_bodies_further(setting: Setting, out: Path, version: str) -> None:
    """Train the body network of ``out`` on, with more persons; all else stays.

    Parameters
    ----------
    setting, out, version
        As in :func:`train_body_network`.
    """
    torch.set_num_threads(1)
    _store_further(setting, stored_network(out, "body"), out, version)


def _store_further(setting: Setting, network: nn.Module, out: Path, version: str) -> None:
    examples = read_crops(drawn_crops(setting, PERSONS_FURTHER))
    begun = cast(BodyNetwork, network)
    trained = train_bodies_on(begun, examples, _run(setting), progress=setting.progress)
    save_networks(out, version, {"body": trained})


def _run(setting: Setting) -> Path:
    return setting.work / "bodies" / "run"


def drawn_crops(setting: Setting, persons: int = PERSONS) -> list[Path]:
    """Draw the persons that are not there yet; return their files."""
    folder = setting.work / "bodies" / "crops"
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index in range(persons):
        path = folder / f"{index:04d}.npz"
        if not path.is_file():
            write_crops(path, body_crops(PRESETS[index % len(PRESETS)], SEED, index, PER_BODY))
        paths.append(path)
        setting.progress.step("Persons", index + 1, persons)
    return paths

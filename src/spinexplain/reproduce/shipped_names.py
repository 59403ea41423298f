"""The levels network trained on for names: short parts, second readings, whole namings.

Two trainings that differ by their seed alone go on from the same weights; what is shipped is the
mean of their weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import cast

import torch

from spinexplain.localizer.manifest import read_manifest
from spinexplain.localizer.networks import load_networks, save_networks, stored_network
from spinexplain.localizer.prior import PRIOR_FILE, read_prior
from spinexplain.models.levels_network import LevelsNetwork
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_localizer import drawn_bodies
from spinexplain.train.localizer.bodies import DrawnBody
from spinexplain.train.localizer.chain_loss import ChainLoss, learned_shares
from spinexplain.train.localizer.draws import LearnedPersons
from spinexplain.train.localizer.errors_before import found_curves
from spinexplain.train.localizer.fit import FitSettings, fit_levels_network
from spinexplain.train.localizer.level_batches import SHORT_SECTIONS, FoundCurve

PERSONS = (
    LearnedPersons("wide-2", seed=3, in_order=200, rare=40),
    LearnedPersons("wide", seed=3, in_order=60),
)
"""None of them was seen by any network before."""

NAMES = FitSettings(steps=2700, batch=4, rate=1e-3, average=0.998)
SEEDS = (0, 1)
NAMES_BEGINS = "4"
"""The version whose levels network is trained on so."""

_SCANS_BEFORE, _FOUND_SEED = 1, 3


def train_names(setting: Setting, out: Path, version: str, seeds: Sequence[int] = SEEDS) -> None:
    """Train the levels network of ``out`` on; all else stays.

    Parameters
    ----------
    setting : Setting
        Its work folder keeps each training, and what each ends with.
    out : Path
        Folder of a localizer.
    version : str
        Of the localizer from now on.
    seeds : sequence of int
        With fewer than all of ``SEEDS`` nothing is stored in ``out``, so that they can be trained
        side by side.
    """
    torch.set_num_threads(1)
    begun = cast(LevelsNetwork, stored_network(out, "levels"))
    bodies = [one for persons in PERSONS for one in drawn_bodies(setting, persons)]
    weights = read_manifest(out).weights
    found = found_curves(
        load_networks(out).curve,
        bodies,
        _SCANS_BEFORE,
        _FOUND_SEED,
        _folder(setting, weights["curve"]),
        setting.progress,
    )
    prior = learned_shares(read_prior(out / PRIOR_FILE), [body.levels for body in bodies])
    folder = _folder(setting, weights["curve"] + weights["levels"])
    trained = [
        _trained(folder / f"seed-{seed}", bodies, found, begun, ChainLoss(prior), seed, setting)
        for seed in seeds
    ]
    if set(seeds) == set(SEEDS):
        save_networks(out, version, {"levels": mean_network(trained)})


def _folder(setting: Setting, begun: str) -> Path:
    """Return a folder of its own for what begins with other weights: none is taken for another."""
    return setting.work / "localizer" / f"names-{sha256(begun.encode()).hexdigest()[:8]}"


def _trained(
    folder: Path,
    bodies: Sequence[DrawnBody],
    found: Mapping[str, Sequence[FoundCurve]],
    begun: LevelsNetwork,
    naming: ChainLoss,
    seed: int,
    setting: Setting,
) -> LevelsNetwork:
    """Run one training, or take up what it ended with."""
    return fit_levels_network(
        bodies,
        found,
        folder,
        replace(NAMES, seed=seed),
        deepcopy(begun),
        setting.progress,
        "names",
        SHORT_SECTIONS,
        naming,
    )


def mean_network(networks: Sequence[LevelsNetwork]) -> LevelsNetwork:
    """Return a network whose weights and statistics are the means of others'.

    Parameters
    ----------
    networks : sequence of LevelsNetwork
        Trained on from the same weights; means of others are worth nothing.
    """
    mean = deepcopy(networks[0])
    states = [network.state_dict() for network in networks]
    mean.load_state_dict(
        {
            name: torch.stack([one[name] for one in states]).mean(0)
            if value.is_floating_point()
            else value
            for name, value in states[0].items()
        }
    )
    return mean

"""The training of the two networks that find and name vertebrae, on wide phantoms alone.

Everything is a function of the preset, the seeds and the counts below. An interrupted
training is taken up where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from spinexplain.data.phantom.wide.person import draw_wide_person
from spinexplain.errors import ModelError
from spinexplain.evaluate.locating import matched
from spinexplain.localizer.locate import ReadChain, find_chain
from spinexplain.localizer.manifest import read_manifest
from spinexplain.localizer.naming import NamingPrior
from spinexplain.localizer.networks import (
    Network,
    load_networks,
    save_networks,
    shipped_networks,
    stored_network,
)
from spinexplain.localizer.prior import PRIOR_FILE, write_prior
from spinexplain.models.curve_network import CurveNetwork
from spinexplain.models.levels_network import LevelsNetwork
from spinexplain.reproduce.found_scans import DrawnPersons, scanned
from spinexplain.reproduce.setting import Setting
from spinexplain.train.engine.precision import network_precision
from spinexplain.train.engine.processes import is_first_process
from spinexplain.train.localizer.bodies import DrawnBody, load_body
from spinexplain.train.localizer.calibrate import KnownChain, calibrated
from spinexplain.train.localizer.curve_batches import SMALL_PIECES
from spinexplain.train.localizer.draws import LearnedPersons, body_name, draw_body
from spinexplain.train.localizer.errors_before import found_curves
from spinexplain.train.localizer.fit import FitSettings, fit_curve_network, fit_levels_network
from spinexplain.train.localizer.level_batches import FoundCurve
from spinexplain.train.localizer.norms import fitted_gaps

VERSION = "5"
PERSONS = LearnedPersons("wide", seed=1, in_order=260, rare=40)
STRAIGHT = LearnedPersons("wide-2", seed=2, in_order=60)
"""Scolioses that keep the spine's length: the curve network is trained on with them, too."""

NORM_PERSONS = 150
VALIDATION = (
    DrawnPersons("wide-test", seed=8, persons=32, groups=("crops",)),
    DrawnPersons("wide-test", seed=8, persons=4, groups=("whole",)),
    DrawnPersons("wide-test-2", seed=18, persons=32, groups=("crops",)),
    DrawnPersons("wide-test", seed=22, persons=32, groups=("crops",)),
    DrawnPersons("wide-test-2", seed=23, persons=32, groups=("crops",)),
)
T13, L6 = 0.083, 0.193
"""Shares of these persons with a thirteenth thoracic or a sixth lumbar level."""
CURVE = FitSettings(steps=1050, batch=2)
CURVE_FURTHER = FitSettings(steps=2500, batch=2, rate=1.5e-3, average=0.998)
"""Of the curve network, on short and narrow scans and bright tubes."""

CURVE_BEGINS = "3.1"
"""The version whose curve and body networks were trained on so."""

LEVELS = FitSettings(steps=4700, batch=2)
FURTHER = FitSettings(steps=2400, batch=4, precision="fp32", rate=1e-3, average=0.998)
"""Of the levels network, after the first training: that one had not seen enough."""

BEGINS = "2.1"
"""The version whose levels network was trained on so."""

SCANS_BEFORE = 2
"""Fields of view of every person in which the levels network sees the curve network's errors."""


@dataclass(frozen=True)
class TwoNetworks:
    """The networks that find and name, as functions on arrays.

    Parameters
    ----------
    curve, levels : callable
    body : callable, optional
        That moves centers onto their bodies.
    """

    curve: Network
    levels: Network
    body: Network | None = None


def train_localizer(setting: Setting, out: Path) -> None:
    """Draw, train both networks, fit the prior of namings, and write all to ``out``."""
    torch.set_num_threads(1)
    bodies = drawn_bodies(setting)
    curve = fit_curve_network(bodies, _folder(setting), CURVE, progress=setting.progress)
    curve = _curve_trained_on(setting, bodies, curve)
    found = _found(setting, as_function(curve), bodies)
    levels = fit_levels_network(bodies, found, _folder(setting), LEVELS, progress=setting.progress)
    levels = _trained_on(setting, bodies, found, levels)
    save_networks(out, VERSION, {"curve": curve, "levels": levels})
    networks = replace(as_networks(curve, levels), body=shipped_networks().body)
    write_prior(out / PRIOR_FILE, fitted_prior(setting, networks))


def train_levels_further(setting: Setting, out: Path, processes: int = 1) -> None:
    """Train the levels network of ``out`` on, as ``FURTHER`` says; all else stays.

    Once the training is done the network in ``out`` is the new one: what it began from is to be
    put back before this is asked for in another work folder.

    Raises
    ------
    ModelError
        If ``out`` holds another version than ``BEGINS``.
    """
    torch.set_num_threads(1)
    check_begin(out, BEGINS)
    bodies = drawn_bodies(setting)
    found = _found(setting, load_networks(out).curve, bodies)
    begun = cast(LevelsNetwork, stored_network(out, "levels"))
    levels = _trained_on(setting, bodies, found, begun, processes)
    if is_first_process():
        save_networks(out, VERSION, {"levels": levels})


def train_curve_further(setting: Setting, out: Path) -> None:
    """Train the curve network of ``out`` on, as ``CURVE_FURTHER`` says; all else stays.

    Raises
    ------
    ModelError
        If ``out`` holds another version than ``CURVE_BEGINS``.
    """
    torch.set_num_threads(1)
    check_begin(out, CURVE_BEGINS)
    begun = cast(CurveNetwork, stored_network(out, "curve"))
    curve = _curve_trained_on(setting, drawn_bodies(setting), begun)
    save_networks(out, VERSION, {"curve": curve})


def _curve_trained_on(
    setting: Setting, bodies: Sequence[DrawnBody], curve: CurveNetwork
) -> CurveNetwork:
    bodies = [*bodies, *drawn_bodies(setting, STRAIGHT)]
    folder, progress = _folder(setting), setting.progress
    return fit_curve_network(
        bodies, folder, CURVE_FURTHER, curve, progress, "curve-further", SMALL_PIECES
    )


def check_begin(folder: Path, begins: str) -> None:
    """Check that a training goes on from the version that it was meant for.

    Raises
    ------
    ModelError
        If the folder holds another.
    """
    version = read_manifest(folder).version
    if version != begins:
        raise ModelError(
            f"{folder} holds localizer {version}; it is version {begins} that is trained on so. "
            "Put that version there."
        )


def _found(
    setting: Setting, curve: Network, bodies: Sequence[DrawnBody]
) -> Mapping[str, Sequence[FoundCurve]]:
    return found_curves(
        curve, bodies, SCANS_BEFORE, PERSONS.seed, _folder(setting), setting.progress
    )


def _trained_on(
    setting: Setting,
    bodies: Sequence[DrawnBody],
    found: Mapping[str, Sequence[FoundCurve]],
    levels: LevelsNetwork,
    processes: int = 1,
) -> LevelsNetwork:
    settings = replace(FURTHER, processes=processes)
    folder, progress = _folder(setting), setting.progress
    return fit_levels_network(bodies, found, folder, settings, levels, progress, "levels-further")


def drawn_bodies(setting: Setting, persons: LearnedPersons = PERSONS) -> list[DrawnBody]:
    """Draw the training persons that are not there yet, and open all."""
    folder, chosen = _folder(setting) / persons.preset, persons.indices()
    for done, index in enumerate(chosen):
        draw_body(persons.preset, persons.seed, index, folder)
        setting.progress.step("persons", done + 1, len(chosen))
    names = [body_name(persons.preset, persons.seed, index) for index in chosen]
    return [load_body(folder, name) for name in names]


def as_networks(curve: nn.Module, levels: nn.Module) -> TwoNetworks:
    """Wrap trained networks as inference takes them."""
    return TwoNetworks(as_function(curve), as_function(levels))


def as_function(network: nn.Module) -> Network:
    """Wrap a network in evaluation mode: arrays in, arrays out; bfloat16 where there is."""

    def run(x: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), network_precision("bf16", "cpu"):
            given = torch.from_numpy(x).to(memory_format=torch.channels_last_3d)
            answer: np.ndarray = network(given).float().numpy()
        return answer

    return run


def fitted_prior(setting: Setting, networks: TwoNetworks) -> NamingPrior:
    """Fit gaps to persons of the training preset, and weights to validation scans."""
    persons = [
        draw_wide_person(PERSONS.preset, PERSONS.seed, k).centers_mm for k in range(NORM_PERSONS)
    ]
    prior = fitted_gaps(persons)
    return calibrated(validation_chains(setting, networks, prior), prior)


def as_weighed(prior: NamingPrior) -> NamingPrior:
    """Return a prior that knows what the networks' level probabilities hold already.

    That is how many training persons had a T13 or L6.
    """
    return replace(prior, learned_t13=T13, learned_l6=L6)


def validation_chains(
    setting: Setting, networks: TwoNetworks, prior: NamingPrior
) -> Sequence[KnownChain]:
    """Find the centers of validation scans, in parts and whole, with their true names."""
    chains = []
    for drawn in VALIDATION:
        for index in range(drawn.persons):
            for _, scan in scanned(drawn, index):
                chain = find_chain(scan.volume, networks, prior)
                if not isinstance(chain, str):
                    chains.append(known_chain(chain, scan.centers_mm, scan.levels))
            setting.progress.step("validation", index + 1, drawn.persons)
    return chains


def known_chain(chain: ReadChain, truth_mm: np.ndarray, levels: Sequence[str]) -> KnownChain:
    """Put what was found in a scan and its true names together."""
    centers = np.array([center.center_mm for center in chain.centers])
    names = true_names(centers, truth_mm, levels)
    return KnownChain(chain.evidence, chain.gaps_mm, chain.in_view, names)


def true_names(
    centers_mm: np.ndarray, truth_mm: np.ndarray, levels: Sequence[str]
) -> tuple[str | None, ...]:
    """Return the level of the body at every center; None where there is none within 10 mm."""
    of_body, _ = matched(centers_mm, truth_mm)
    owner = {int(k): level for k, level in zip(of_body, levels, strict=True) if k >= 0}
    return tuple(owner.get(k) for k in range(len(centers_mm)))


def _folder(setting: Setting) -> Path:
    return setting.work / "localizer"

"""The training of the two networks that find and name vertebrae, on wide phantoms alone.

Everything is a function of the preset, the seeds and the counts below. An interrupted
training is taken up where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from spinexplain.data.phantom.wide.person import draw_wide_person
from spinexplain.evaluate.locating import matched
from spinexplain.localizer.locate import ReadChain, find_chain
from spinexplain.localizer.naming import NamingPrior
from spinexplain.localizer.networks import Network, save_networks, shipped_networks
from spinexplain.localizer.prior import PRIOR_FILE, write_prior
from spinexplain.reproduce.found_scans import DrawnPersons, scanned
from spinexplain.reproduce.setting import Setting
from spinexplain.train.engine.precision import network_precision
from spinexplain.train.localizer.bodies import DrawnBody, load_body
from spinexplain.train.localizer.calibrate import KnownChain, calibrated
from spinexplain.train.localizer.draws import body_name, draw_body
from spinexplain.train.localizer.errors_before import found_curves
from spinexplain.train.localizer.fit import FitSettings, fit_curve_network, fit_levels_network
from spinexplain.train.localizer.norms import fitted_gaps

VERSION = "2.1"
PRESET = "wide"
SEED, PERSONS = 1, 226
NORM_PERSONS = 150
VALIDATION = (
    DrawnPersons("wide-test", seed=8, persons=20, groups=("crops",)),
    DrawnPersons("wide-test", seed=8, persons=4, groups=("whole",)),
)
T13, L6 = 0.06, 0.12
"""Shares of the persons of ``PRESET`` with a thirteenth thoracic or a sixth lumbar level."""
CURVE = FitSettings(steps=1050, batch=2)
LEVELS = FitSettings(steps=4700, batch=2)
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
    found = found_curves(
        as_function(curve), bodies, SCANS_BEFORE, SEED, _folder(setting), setting.progress
    )
    levels = fit_levels_network(bodies, found, _folder(setting), LEVELS, progress=setting.progress)
    save_networks(out, VERSION, {"curve": curve, "levels": levels})
    networks = replace(as_networks(curve, levels), body=shipped_networks().body)
    write_prior(out / PRIOR_FILE, fitted_prior(setting, networks))


def drawn_bodies(setting: Setting) -> list[DrawnBody]:
    """Draw the training persons that are not there yet, and open all."""
    folder = _folder(setting) / PRESET
    for index in range(PERSONS):
        draw_body(PRESET, SEED, index, folder)
        setting.progress.step("persons", index + 1, PERSONS)
    return [load_body(folder, body_name(PRESET, SEED, index)) for index in range(PERSONS)]


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
    persons = [draw_wide_person(PRESET, SEED, k).centers_mm for k in range(NORM_PERSONS)]
    prior = fitted_gaps(persons)
    return calibrated(validation_chains(setting, networks, prior), prior)


def as_weighed(prior: NamingPrior) -> NamingPrior:
    """Return a prior that knows what the networks know already: tried, and not shipped.

    The level probabilities hold how many training persons had a T13 or L6, and a center that was
    read surely hardly belongs to no body.
    """
    return replace(prior, learned_t13=T13, learned_l6=L6, spurious=0.02, found_weight=1.0)


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
    return KnownChain(chain.evidence, chain.gaps_mm, chain.found, chain.in_view, names)


def true_names(
    centers_mm: np.ndarray, truth_mm: np.ndarray, levels: Sequence[str]
) -> tuple[str | None, ...]:
    """Return the level of the body at every center; None where there is none within 10 mm."""
    of_body, _ = matched(centers_mm, truth_mm)
    owner = {int(k): level for k, level in zip(of_body, levels, strict=True) if k >= 0}
    return tuple(owner.get(k) for k in range(len(centers_mm)))


def _folder(setting: Setting) -> Path:
    return setting.work / "localizer"

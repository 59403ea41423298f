"""What the trainings for names are worth: validation persons' sections read, scans named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinexplain.errors import ModelError
from spinexplain.evaluate.bootstrap import subject_bootstrap
from spinexplain.localizer.centers import along_spine
from spinexplain.localizer.naming import (
    NamingPrior,
    level_evidence,
    log_share,
    scored_namings,
)
from spinexplain.localizer.networks import (
    LocalizerNetworks,
    Network,
    load_networks,
    shipped_folder,
)
from spinexplain.localizer.prior import PRIOR_FILE, read_prior
from spinexplain.localizer.reading import with_mirrored
from spinexplain.reproduce.found_scans import DrawnPersons, FoundScan
from spinexplain.reproduce.levels_learned import Persons, drawn
from spinexplain.reproduce.localizer import EARLIER
from spinexplain.reproduce.naming_fit import (
    known_chains,
    reweighed,
    right_namings,
    unmoved,
    validation_scans,
)
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_localizer import VALIDATION as VALIDATION_SCANS
from spinexplain.reproduce.shipped_names import SEEDS
from spinexplain.train.localizer.bodies import DrawnBody
from spinexplain.train.localizer.calibrate import log_scores
from spinexplain.train.localizer.chain_loss import TrueChain, learned_shares
from spinexplain.train.localizer.fields import FieldShares
from spinexplain.train.localizer.level_batches import LevelBatches, SeenSections

RESULTS = "localizer-names.json"
VALIDATION = Persons("wide-test", 8), Persons("wide-test-2", 18)
PERSONS, SECTIONS = 16, 4
COMPARED = ("before", "now")
LOOKS = {"first": VALIDATION_SCANS[:3], "all": VALIDATION_SCANS}
"""The scans that the rule was asked of first, and those that it was extended to."""

KINDS = {
    "short": SeenSections(1.0, FieldShares(whole=0.0, short=1.0)),
    "any length": SeenSections(1.0, FieldShares(whole=0.0)),
}
ALONE = "localizer-alone-{}"
"""Folders, in the work folder, of localizers with the network of one training alone."""

_KEY = 61
_CPU = torch.device("cpu")
_WORST = 9.2  # nats: a naming below 0.0001 counts as that, as in the fit of weights


@dataclass(frozen=True, eq=False)
class Section:
    """A section of a person and its true names.

    Parameters
    ----------
    person : str
    kind : str
        One of ``KINDS``.
    densities : ndarray of float32, shape (n, 56, 60)
    chain : TrueChain
    """

    person: str
    kind: str
    densities: np.ndarray
    chain: TrueChain


def measure(setting: Setting, persons: int = PERSONS) -> None:
    """Ask the shipped levels network, the earlier one, and those of one training alone.

    Raises
    ------
    ModelError
        If the folder ``localizer-before`` holds no localizer, or the shipped one.
    """
    torch.set_num_threads(1)
    folders = _folders(setting)
    networks = {way: load_networks(folder) for way, folder in folders.items()}
    priors = {way: read_prior(folder / PRIOR_FILE) for way, folder in folders.items()}
    if networks["before"].info.sha256 == networks["now"].info.sha256:
        raise ModelError(
            f"{folders['before']} holds the shipped localizer; expected an earlier one. Put "
            "that one there."
        )
    content = {
        "versions": {way: networks[way].info.version for way in COMPARED},
        "persons": persons,
        "sections": [_of_preset(setting, one, persons, networks, priors) for one in VALIDATION],
        "validation": {
            name: validated(setting, networks, priors, cohorts) for name, cohorts in LOOKS.items()
        },
    }
    setting.store(RESULTS, content)


def _folders(setting: Setting) -> dict[str, Path]:
    alone = {f"seed {seed}": setting.work / ALONE.format(seed) for seed in SEEDS}
    there = {way: folder for way, folder in alone.items() if folder.is_dir()}
    return {"before": setting.work / EARLIER, **there, "now": shipped_folder()}


def _of_preset(
    setting: Setting,
    drawn_from: Persons,
    persons: int,
    networks: Mapping[str, LocalizerNetworks],
    priors: Mapping[str, NamingPrior],
) -> dict[str, Any]:
    bodies = drawn(setting, drawn_from, persons)
    sections = list(drawn_sections(bodies))
    expected = {way: _expecting(prior, bodies) for way, prior in priors.items()}
    missed = {
        way: [missed_name(one, network.levels, expected[way]) for one in sections]
        for way, network in networks.items()
    }
    missed["distances alone"] = [missed_name(one, None, expected["now"]) for one in sections]
    return {
        "preset": drawn_from.preset,
        "seed": drawn_from.seed,
        "kinds": {kind: of_kind(sections, missed, kind) for kind in KINDS},
    }


def _expecting(prior: NamingPrior, bodies: Sequence[DrawnBody]) -> NamingPrior:
    """Expect T13 and L6 as often as these persons have them; what was learned stays."""
    shares = learned_shares(prior, [body.levels for body in bodies])
    return replace(prior, t13=shares.t13, l6=shares.l6)


def drawn_sections(bodies: Sequence[DrawnBody]) -> Iterator[Section]:
    """Draw sections of every person along curves of the second reading, with two bodies or more."""
    for number, body in enumerate(bodies):
        for kind, sections in KINDS.items():
            batches = LevelBatches([body], {}, 1, _KEY + number, sections)
            for step in range(SECTIONS):
                batch = batches.load(step, (0, 1), _CPU)
                chain = batch.chains[0]
                if chain is not None:
                    yield Section(body.name, kind, batch.densities[0, 0].numpy(), chain)


def missed_name(
    section: Section, network: Network | None, prior: NamingPrior
) -> tuple[float, bool, float]:
    """Name the true centers of a section by what a network reads there.

    Parameters
    ----------
    section : Section
    network : callable or None
        None for the distances of the centers alone.
    prior : NamingPrior

    Returns
    -------
    float
        Minus the log-probability of the true naming, nats.
    bool
        Whether all names are right.
    float
        Share of the names that are right.
    """
    chain = section.chain
    if network is None:
        evidence = np.zeros((len(chain.states), len(prior.gap_mm)))
        prior = replace(prior, level_weight=0.0, gap_weight=1.0)
    else:
        seen = along_spine(network(section.densities[None, None])[0]).levels
        levels = with_mirrored(seen, section.densities, network)
        evidence = level_evidence(levels, chain.positions)
    missed = -log_share(evidence, chain.gaps_mm, prior, chain.states.tolist())
    named = np.array(scored_namings(evidence, chain.gaps_mm, prior, 1)[0][1])
    right = named == chain.states
    return min(missed, _WORST), bool(right.all()), float(right.mean())


def of_kind(
    sections: Sequence[Section],
    missed: Mapping[str, Sequence[tuple[float, bool, float]]],
    kind: str,
) -> dict[str, Any]:
    """Return the means of one kind of section, and what the shipped network adds to the earlier."""
    kept = [k for k, one in enumerate(sections) if one.kind == kind]
    persons = np.array([sections[k].person for k in kept])
    rows = {way: np.array([each[k] for k in kept], float) for way, each in missed.items()}
    gain = rows["before"][:, 0] - rows["now"][:, 0]
    return {
        "sections": len(kept),
        "ways": {
            way: dict(
                zip(("missed", "right", "named"), own.mean(axis=0).round(4).tolist(), strict=True)
            )
            for way, own in rows.items()
        },
        "gain": _interval(gain, persons),
    }


def validated(
    setting: Setting,
    networks: Mapping[str, LocalizerNetworks],
    priors: Mapping[str, NamingPrior],
    cohorts: Sequence[DrawnPersons],
) -> dict[str, Any]:
    """Name validation scans by both localizers, each with weights chosen by the same code."""
    found = {
        way: validation_scans(setting, networks[way], priors[way], cohorts) for way in COMPARED
    }
    both = [k for k, pair in enumerate(zip(*found.values(), strict=True)) if _taken(pair)]
    scores, right = {}, {}
    for way in COMPARED:
        chains, persons = known_chains([found[way][k] for k in both])
        prior = reweighed(chains, persons, unmoved(priors[way]))
        scores[way] = log_scores(chains, prior)
        right[way] = right_namings(chains, prior)
    return {
        "scans": len(both),
        "refused": {way: sum(one.chain is None for one in scans) for way, scans in found.items()},
        "right": right,
        "true_names": {way: round(float(own.mean()), 4) for way, own in scores.items()},
        "gain": _interval(scores["now"] - scores["before"], persons),
    }


def _taken(scans: Sequence[FoundScan]) -> bool:
    return all(scan.chain is not None for scan in scans)


def _interval(values: np.ndarray, persons: np.ndarray) -> list[float]:
    one = subject_bootstrap(lambda rows: float(values[rows].mean()), persons.astype(str), 0)
    return [round(float(x), 4) for x in (one.value, one.low, one.high)]

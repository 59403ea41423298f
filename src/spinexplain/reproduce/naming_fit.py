"""How naming is weighed: tried on validation persons, each of them left out in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from spinexplain.evaluate.bootstrap import subject_bootstrap
from spinexplain.localizer.naming import NamingPrior
from spinexplain.localizer.networks import LocalizerNetworks, load_networks
from spinexplain.localizer.prior import PRIOR_FILE, read_prior, write_prior
from spinexplain.reproduce.found_scans import DrawnPersons, FoundScan, found_scans
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_localizer import VALIDATION, as_weighed, known_chain
from spinexplain.train.localizer.calibrate import (
    KnownChain,
    fitted_line,
    line_terms,
    log_scores,
    missed,
    tried_priors,
    trusted,
)

RESULTS = "localizer-validation.json"

_APART = 1000  # numbers of persons of one cohort from those of the next

F = TypeVar("F")


def fit_naming(setting: Setting, out: Path) -> None:
    """Fit anew what a naming's probability is worth, and store what was tried.

    Of the prior in ``out`` ``slope``, ``offset`` and ``landmark`` are replaced, and
    its weights where :func:`reweighed` finds better ones. ``landmark`` stays 0 unless a number
    for namings counted from a landmark helps persons that are left out.

    Parameters
    ----------
    setting : Setting
        Centers that were found before are taken up.
    out : Path
        Folder of a localizer: its networks and its prior.

    Raises
    ------
    ModelError
        If it holds none, or a file was changed.
    """
    torch.set_num_threads(1)
    networks, prior = load_networks(out), read_prior(out / PRIOR_FILE)
    scans = validation_scans(setting, networks, prior)
    setting.store(RESULTS, validated(scans, prior))
    chains, persons = known_chains(scans)
    weighed = reweighed(chains, persons, prior)
    worth = _worth(chains, unmoved(weighed), persons)
    helps = worth["line_with_landmark"] < worth["line"]
    write_prior(out / PRIOR_FILE, trusted(chains, weighed, helps))


def reweighed(chains: Sequence[KnownChain], persons: np.ndarray, prior: NamingPrior) -> NamingPrior:
    """Return a prior with other weights, if they are better.

    :func:`~.shipped_localizer.as_weighed` comes first: it is taken if it gives the true namings a
    larger mean log-probability by more than chance, and names no fewer scans rightly. Then
    weights of levels and gaps: if, chosen without the person, they give a larger one.
    """
    tried = as_weighed(prior)
    if _better(chains, persons, unmoved(tried), unmoved(prior)):
        prior = tried
    plain = unmoved(prior)
    if _other_weights(chains, persons, plain) <= float(log_scores(chains, plain).mean()):
        return prior
    best = max(tried_priors(plain), key=lambda one: log_scores(chains, one).mean())
    if right_namings(chains, best) < right_namings(chains, plain):
        return prior
    return replace(prior, level_weight=best.level_weight, gap_weight=best.gap_weight)


def _better(
    chains: Sequence[KnownChain], persons: np.ndarray, one: NamingPrior, other: NamingPrior
) -> bool:
    """Say whether the whole interval of the gain lies above 0, persons drawn again."""
    more = log_scores(chains, one) - log_scores(chains, other)
    gain = subject_bootstrap(lambda rows: float(more[rows].mean()), persons.astype(str), 0)
    return bool(gain.low > 0 and right_namings(chains, one) >= right_namings(chains, other))


def right_namings(chains: Sequence[KnownChain], prior: NamingPrior) -> int:
    """Count the scans whose most probable naming is right."""
    return int(line_terms(chains, prior)[1].sum())


def _other_weights(chains: Sequence[KnownChain], persons: np.ndarray, prior: NamingPrior) -> float:
    """Return the mean log-probability of true namings, weights chosen without the person."""
    table = np.stack([log_scores(chains, one) for one in tried_priors(prior)], axis=1)
    chosen = left_out(
        persons,
        lambda kept: int(table[kept].mean(axis=0).argmax()),
        lambda best, rows: table[rows, best],
    )
    return float(chosen.mean())


def validated(scans: Sequence[FoundScan], prior: NamingPrior) -> dict[str, Any]:
    """Return what ways of weighing are worth in persons that are left out of their fit.

    Returns
    -------
    dict
        Of ``before`` and ``tried``: how many namings are right, the mean log-probability of the
        true ones (``true_names``), and the cross-entropy of the best naming's probability,
        without and with a number for landmarks. ``other_weights`` is the mean log-probability
        where weights of levels and gaps are chosen without the person; ``chosen`` are those
        that :func:`reweighed` takes.
    """
    chains, persons = known_chains(scans)
    before, tried = unmoved(prior), as_weighed(unmoved(prior))
    best = reweighed(chains, persons, before)
    terms, right = line_terms(chains, before)
    shipped = np.array([prior.slope, prior.offset, prior.landmark])
    return {
        "persons": len(set(persons.tolist())),
        "scans": len(scans),
        "before": _worth(chains, before, persons)
        | {"shipped_line": round(float(missed(terms, right, shipped).mean()), 4)},
        "tried": _worth(chains, tried, persons),
        "other_weights": round(_other_weights(chains, persons, before), 4),
        "chosen": {
            "tried": best.learned_l6 != prior.learned_l6,
            "levels": best.level_weight,
            "gaps": best.gap_weight,
        },
    }


def unmoved(prior: NamingPrior) -> NamingPrior:
    """Return a prior whose probabilities are not yet moved."""
    return replace(prior, slope=1.0, offset=0.0, landmark=0.0)


def validation_scans(
    setting: Setting,
    networks: LocalizerNetworks,
    prior: NamingPrior,
    cohorts: Sequence[DrawnPersons] = VALIDATION,
) -> list[FoundScan]:
    """Find the centers in all validation scans; every person has a number of its own."""
    keys = sorted({(drawn.preset, drawn.seed) for drawn in VALIDATION})
    return [
        replace(one, person=one.person + _APART * keys.index((drawn.preset, drawn.seed)))
        for drawn in cohorts
        for one in found_scans(setting, drawn, networks, prior)
    ]


def known_chains(scans: Sequence[FoundScan]) -> tuple[list[KnownChain], np.ndarray]:
    """Return the chains of scans in which a spine was found, and whose each is."""
    found = [(one, one.chain) for one in scans if one.chain is not None]
    chains = [known_chain(chain, one.truth_mm, one.levels) for one, chain in found]
    return chains, np.array([one.person for one, _ in found])


def _worth(chains: Sequence[KnownChain], prior: NamingPrior, persons: np.ndarray) -> dict[str, Any]:
    terms, right = line_terms(chains, prior)

    def loss(columns: int) -> float:
        shown = np.where(np.arange(terms.shape[1]) < columns, terms, 0.0)
        each = left_out(
            persons,
            lambda kept: fitted_line(shown[kept], right[kept]),
            lambda line, rows: missed(shown[rows], right[rows], line),
        )
        return round(float(each.mean()), 4)

    return {
        "right": int(right.sum()),
        "true_names": round(float(log_scores(chains, prior).mean()), 4),
        "line": loss(2),
        "line_with_landmark": loss(3),
    }


def left_out(
    persons: np.ndarray,
    fit: Callable[[np.ndarray], F],
    judge: Callable[[F, np.ndarray], np.ndarray],
) -> np.ndarray:
    """Judge every person by what was fitted to the others.

    Parameters
    ----------
    persons : ndarray of int, shape (n,)
        Whose each row is.
    fit : callable
        From the rows kept (bool) to what is fitted.
    judge : callable
        From what was fitted and the rows left out (bool) to a number each.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> values = np.array([1.0, 2.0, 6.0])
    >>> mean = lambda kept: values[kept].mean()
    >>> left_out(np.array([0, 0, 1]), mean, lambda m, rows: values[rows] - m).tolist()
    [-5.0, -4.0, 4.5]
    """
    found = np.zeros(len(persons))
    for person in np.unique(persons):
        rows = persons == person
        found[rows] = judge(fit(~rows), rows)
    return found

"""Experiments on a trained network: against random weights, eq. 1, and another quantile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import false_discovery_control, spearmanr

from spinexplain.analysis.dissection.redundancy import redundancy_clusters
from spinexplain.data.cohort import Cohort
from spinexplain.explainers.dissection.activity import Activity
from spinexplain.explainers.dissection.effect import mean_levels
from spinexplain.explainers.dissection.record import weights_hash
from spinexplain.explainers.dissection.samples import Samples, select_samples
from spinexplain.explainers.dissection.statistics import auc, permutation_p, ranks
from spinexplain.explainers.dissection.thresholds import kept_count
from spinexplain.models.grader import Grader
from spinexplain.progress import SILENT, Progress
from spinexplain.reproduce.dissection.evidence import Units, compared, units_of
from spinexplain.reproduce.dissection.intervals import effect, spread, top_difference
from spinexplain.reproduce.dissection.networks import with_random_weights
from spinexplain.reproduce.dissection.use import use_of_units

NETWORKS, LOOSE, PRINTED = 5, 0.99, 0.995


def trained_network(
    grader: Grader, cohort: Cohort, layer: str = "trunk", progress: Progress = SILENT
) -> dict[str, Any]:
    """Compare a trained network's units with the evidence, and with untrained networks'."""
    samples = select_samples(cohort, grader.spec, grader.task)
    loose, activity, grid = units_of(grader, samples, layer, LOOSE)
    activity = tightened(activity, PRINTED)
    units = compared(activity, grid, samples)
    random = []
    for seed in range(NETWORKS):
        other = with_random_weights(grader, samples, seed)
        random.append(units_of(other, samples, layer, PRINTED)[0])
        progress.step("Untrained networks", seed + 1, NETWORKS)
    return {
        "model": f"{grader.info.name} {grader.info.version}",
        "weights": weights_hash(grader.info)[:12],
        "layer": layer,
        "cohort": cohort.path.name,
        "counts": counts(samples),
        "units": len(units.ranked),
        "cells": list(activity.grid),
        "auc": float(auc(np.diff(activity.logits, axis=1), samples.positive)[0])
        if activity.logits.shape[1] == 2
        else None,
        "against_random": against_random(units, random),
        "against_eq1": against_eq1(units, activity),
        "use": use_of_units(grader, samples, units, mean_levels(activity), layer),
        "quantile": {f"{q:g}": at_quantile(u) for q, u in ((LOOSE, loose), (PRINTED, units))}
        | {
            "same_contrast": same_first(loose, units, "contrast"),
            "same_eq1": same_first(loose, units, "eq1"),
        },
    }


def counts(samples: Samples) -> dict[str, int]:
    """Count what was dissected with."""
    return {
        "subjects": len(np.unique(samples.column("subject"))),
        "samples": len(samples),
        "positives": int(samples.positive.sum()),
    }


def against_random(units: Units, random: list[Units]) -> dict[str, Any]:
    """Compare overlap with the evidence, all units and the first ten, with untrained units'."""
    rows = []
    for top in (False, True):
        for what in ("share", "iou"):
            values = [
                one.overlap(what)[one.top("contrast") if top else slice(None)]
                for one in (units, *random)
            ]
            rows.append(
                {
                    "what": what,
                    "top": top,
                    "trained": spread(values[0]),
                    "random": spread(np.concatenate(values[1:])),
                    "delta": effect(units, random, what, top),
                }
            )
    return {
        "networks": len(random),
        "chance": units.chance,
        "rows": rows,
        "tied": tied(units),
        "tied_random": [tied(one) for one in random],
        "values": {
            "trained": rounded(units.share()),
            "random": [rounded(one.share()) for one in random],
        },
    }


def against_eq1(units: Units, activity: Activity) -> dict[str, Any]:
    """Compare the first ten units by contrast with those by eq. 1 as printed."""
    ours, printed = units.top("contrast"), units.top("eq1")
    positive, negative = units.shares()
    rank = ranks(np.round(positive - negative, 9), units.ranked)
    clusters = redundancy_clusters(activity.correlation, rank)
    return {
        "contrast": spread(units.iou()[ours]),
        "eq1": spread(units.iou()[printed]),
        "share_contrast": float(units.share()[ours].mean()),
        "share_eq1": float(units.share()[printed].mean()),
        "difference": top_difference(units),
        "shared": len(set(ours.tolist()) & set(printed.tolist())),
        "enabled_in_healthy": [float(negative[ours].mean()), float(negative[printed].mean())],
        "clusters_of_top": len(set(clusters[ours].tolist())),
        "first": {"contrast": ours.tolist(), "eq1": printed.tolist()},
    }


def at_quantile(units: Units) -> dict[str, float]:
    """Say how saturated eq. 1 is at a level of the threshold, and what its first ten hold."""
    positive, negative = units.shares()
    return {
        "c_positive": float(np.median(positive)),
        "c_negative": float(np.median(negative)),
        "saturated": float((positive > 0.9).mean()),
        "eq1_evidence": float(units.iou()[units.top("eq1")].mean()),
        "ours_evidence": float(units.iou()[units.top("contrast")].mean()),
        "rank_correlation": float(spearmanr(positive, positive - negative).statistic),
    }


def same_first(one: Units, other: Units, by: str) -> int:
    """Count the units in both lists of the first ten."""
    return len(set(one.top(by).tolist()) & set(other.top(by).tolist()))


def tied(units: Units) -> int:
    """Count units enabled more often in fractured vertebrae, q < 0.05."""
    p = permutation_p(units.enabled, units.positive)[units.ranked]
    positive, negative = (share[units.ranked] for share in units.shares())
    return int(((false_discovery_control(p) < 0.05) & (positive > negative)).sum())


def tightened(activity: Activity, quantile: float) -> Activity:
    """Return the same pass with a higher level of the thresholds: no second one is needed.

    Of a unit with fewer values above than the level leaves, nothing changes.
    """
    tails = activity.tails
    keep = kept_count(tails.total, quantile)
    thresholds = tails.thresholds.copy()
    for unit in range(len(thresholds)):
        values = tails.of_unit(unit)[1]
        if len(values) >= keep:
            thresholds[unit] = np.partition(values, -keep)[-keep]
    above = tails.values > thresholds[tails.units]
    kept = np.bincount(tails.units[above], minlength=len(thresholds))
    return replace(
        activity,
        tails=replace(
            tails,
            thresholds=thresholds,
            mass=kept / tails.total,
            starts=np.concatenate([[0], np.cumsum(kept)]),
            places=tails.places[above],
            values=tails.values[above],
        ),
    )


def rounded(values: np.ndarray) -> list[float]:
    """Return values for a figure."""
    return [round(float(value), 4) for value in values]

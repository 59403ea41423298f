"""The studies by name: what each measures, what it costs, and what runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from spinexplain.errors import ConfigError
from spinexplain.reproduce.setting import Setting


@dataclass(frozen=True)
class Study:
    """What stands behind some pages of the documentation.

    Parameters
    ----------
    measures : str
        What it measures, in one sentence.
    cost : str
        What a fresh run takes on one core.
    pages : tuple of str
        Pages its figures stand on, below docs.
    results : tuple of str
        Files or folders it writes, below docs/results.
    run : str
        ``module:function`` that measures afresh; empty where pictures are all there is, or
        where other commands measure, which ``how`` then names.
    how : str
        Where it is described how to measure, if not by this command.
    """

    measures: str
    cost: str
    pages: tuple[str, ...]
    results: tuple[str, ...] = ()
    run: str = ""
    how: str = ""


STUDIES = {
    "accuracy": Study(
        "Whether phantoms and simulated fractures have the height loss that they state.",
        "minutes",
        ("phantom.md",),
        ("accuracy.json",),
        "spinexplain.reproduce.accuracy:measure",
    ),
    "densities": Study(
        "Densities and noise of phantoms beside those of real CTs.",
        "minutes",
        ("phantom.md",),
        ("densities.json",),
        "spinexplain.reproduce.densities:measure",
    ),
    "gallery": Study(
        "Nothing; draws the pictures of phantoms: levels, shapes, look-alikes, scanners.",
        "minutes",
        ("phantom.md",),
    ),
    "receptive-fields": Study(
        "Accuracy against evidence on bone when each cell of the trunk sees less.",
        "2 CPU minutes beside the drawing",
        ("decisions/grounded-prototypes.md",),
        ("receptive-fields.json",),
        "spinexplain.reproduce.receptive_fields:measure",
    ),
    "placement-ceiling": Study(
        "How well a supervised network reads the place of a fracture from the phantom's sheets.",
        "5 CPU minutes beside the drawing",
        ("decisions/grounded-prototypes.md",),
        ("placement-ceiling.json",),
        "spinexplain.reproduce.placement_ceiling:measure",
    ),
    "mask-places": Study(
        "How well the place of a fracture is read off the true mask of a sheet, without a network.",
        "5 CPU minutes beside the drawing",
        ("explanations.md",),
        ("explanations-mask.json",),
        "spinexplain.reproduce.mask_places:measure",
    ),
    "sides": Study(
        "Which side of a fracture sank more: the shipped network on parallel sheets.",
        "15 CPU minutes",
        ("explanations.md",),
        ("sides.json",),
        "spinexplain.reproduce.sides:measure",
    ),
    "measurements": Study(
        "Whether height intervals hold the truth, and how near densities come to it.",
        "5 CPU minutes",
        ("verdict.md",),
        ("measurements.json",),
        "spinexplain.reproduce.measurements:measure",
    ),
    "discrepancies": Study(
        "What each difference between paper, released code and this package does, alone.",
        "20 CPU minutes beside the drawing",
        ("discrepancies.md",),
        ("discrepancies.json",),
        "spinexplain.reproduce.discrepancies:measure",
    ),
    "transfer": Study(
        "The shipped model where it was not trained: other phantoms, real CT, odd scans.",
        "30 CPU minutes",
        ("transfer.md",),
        ("transfer.json",),
        "spinexplain.reproduce.transfer.study:measured",
    ),
    "dissection": Study(
        "Whether dissection finds what a network uses, on phantoms, where that is known.",
        "hours",
        ("dissection.md", "discrepancies.md"),
        ("dissection.json",),
        "spinexplain.reproduce.dissection.study:measure",
    ),
    "training-size": Study(
        "Detectors that learned from few and from many phantoms, each dissected, seed by seed.",
        "40 CPU minutes",
        ("dissection.md",),
        ("training-size.json",),
        "spinexplain.reproduce.dissection.training_size:measure",
    ),
    "detector-presets": Study(
        "The dissection paper's detector as published, as released and as here, on one cohort.",
        "20 CPU minutes",
        ("dissection.md",),
        ("detector-presets.json",),
        "spinexplain.reproduce.dissection.detector_presets:measure",
    ),
    "detector-shortcut": Study(
        "Whether dissection shows that a 3-D detector learned a planted mark.",
        "25 CPU minutes",
        ("dissection.md",),
        ("detector-shortcut.json",),
        "spinexplain.reproduce.dissection.detector_shortcut:measure",
    ),
    "methods": Study(
        "Baseline, ProtoPNet and ProtoVerse as whole networks from one trunk, with equal budgets.",
        "30 CPU minutes",
        ("methods.md",),
        ("methods.json",),
        "spinexplain.reproduce.methods:measure",
    ),
    "experiments": Study(
        "The comparisons of the ProtoVerse paper on phantoms, by cross-validation.",
        "hours",
        ("experiments.md",),
        ("experiments",),
        "spinexplain.reproduce.experiments:measure",
    ),
    "detector": Study(
        "The shipped detector on held-out phantoms, and trials of its preset across cohorts.",
        "hours",
        ("concepts/detector.md",),
        ("detector-trials.json", "detector-trials.toml"),
        how="docs/concepts/detector.md",
    ),
    "detector-cost": Study(
        "What a box costs the training of the detector, on one core.",
        "a minute",
        ("concepts/detector.md",),
        ("detector-cost.json",),
        "spinexplain.reproduce.detector_cost:measure",
    ),
    "batch-statistics": Study(
        "What normalizing by the batch's own statistics does to the detector's grades.",
        "minutes beside the drawing",
        ("discrepancies.md",),
        ("batch-statistics.json",),
        "spinexplain.reproduce.batch_statistics:measure",
    ),
    "curation": Study(
        "What a decision about the prototype that looks at a planted mark is worth without marks.",
        "8 CPU minutes",
        ("curation.md",),
        ("curation.json",),
        "spinexplain.reproduce.curation:measure",
    ),
    "silencing": Study(
        "What silencing the units of a 3-D detector that look at a planted mark is worth without.",
        "5 CPU minutes beside the drawing",
        ("curation.md",),
        ("silencing.json",),
        "spinexplain.reproduce.silencing:measure",
    ),
    "verdict": Study(
        "The weights of the verdict, and its false alarms and misses on spines of other presets.",
        "80 CPU minutes",
        ("verdict.md",),
        ("verdict.json", "verdict-witnesses.csv.gz"),
        "spinexplain.reproduce.verdict:measure",
    ),
    "verdict-candidates": Study(
        "Whether other ways to hear the witnesses, or further networks, would serve the verdict.",
        "15 CPU minutes",
        ("verdict.md",),
        ("verdict-candidates.json", "verdict-networks.csv.gz"),
        "spinexplain.reproduce.verdict_candidates:measure",
    ),
    "verdict-detector": Study(
        "The weight of a detector on boxes beside sheets and heights, and whether it helps.",
        "60 CPU minutes",
        ("verdict.md",),
        ("verdict-detector.json",),
        "spinexplain.reproduce.verdict_detector:measure",
    ),
    "mask-errors": Study(
        "Heights, networks and the verdict where the mask is wrong, or missing.",
        "20 CPU minutes",
        ("masks.md",),
        ("mask-errors.json",),
        "spinexplain.reproduce.mask_errors:measure",
    ),
    "false-alarms": Study(
        "Which units and prototypes are active in false alarms and misses, by look-alike.",
        "3 CPU minutes",
        ("masks.md",),
        ("false-alarms.json",),
        "spinexplain.reproduce.false_alarms:measure",
    ),
    "verdict-reasons": Study(
        "Which rule of the verdict would have caught the network's false alarms and misses.",
        "1 CPU minute, from stored witnesses",
        ("masks.md",),
        ("verdict-reasons.json",),
        "spinexplain.reproduce.verdict_reasons:measure",
    ),
    "localizer": Study(
        "Vertebrae that the localizer finds and names, on held-out phantoms and in real CT.",
        "15 CPU minutes",
        ("localizer.md",),
        ("localizer.json",),
        "spinexplain.reproduce.localizer:measure",
    ),
    "localizer-levels": Study(
        "How well the levels network reads persons that it learned from, and new ones.",
        "6 CPU minutes",
        ("localizer.md",),
        ("localizer-levels.json",),
        "spinexplain.reproduce.levels_learned:measure",
    ),
    "localizer-public": Study(
        "What the localizer finds and names in CTs of public collections, marked by eye.",
        "5 CPU minutes",
        ("localizer.md",),
        ("localizer-public.json",),
        "spinexplain.reproduce.public_scans:measure",
    ),
    "localizer-names": Study(
        "What trainings on short parts and whole namings do for names, each of them alone, too.",
        "an hour, most of it for finding",
        ("decisions/names.md",),
        ("localizer-names.json",),
        "spinexplain.reproduce.names_learned:measure",
    ),
    "localizer-trained-on": Study(
        "Whether curve and body network, trained on, are better in persons they never saw.",
        "8 CPU minutes",
        ("decisions/trained-on.md",),
        ("localizer-trained-on.json",),
        "spinexplain.reproduce.trained_on:measure",
    ),
    "bodies": Study(
        "Bodies that the localizer paints, against true and given masks: overlap and heights.",
        "5 CPU minutes",
        ("localizer.md",),
        ("bodies.json",),
        "spinexplain.reproduce.bodies:measure",
    ),
    "own-verdicts": Study(
        "Verdicts on the localizer's own centers and masks, against those on given ones.",
        "22 CPU minutes",
        ("localizer.md",),
        ("own-verdicts.json",),
        "spinexplain.reproduce.own_verdicts:measure",
    ),
    "diversity": Study(
        "What the diversity term and the class weights do, on a trunk that knew neither.",
        "10 CPU minutes",
        ("diversity.md",),
        ("diversity.json",),
        "spinexplain.reproduce.diversity:measure",
    ),
    "benchmarks": Study(
        "CPU time and memory of the package beside the libraries that it replaces or uses.",
        "minutes",
        ("benchmarks.md",),
        how="make bench",
    ),
}
"""Every study by the name that ``spinexplain reproduce`` knows it by."""


def study_of(name: str) -> Study:
    """Look a study up.

    Raises
    ------
    ConfigError
        If there is no such study.
    """
    if name not in STUDIES:
        raise ConfigError(f"{name}: no such study; expected one of {', '.join(STUDIES)}.")
    return STUDIES[name]


def measuring(study: Study) -> Callable[[Setting], None]:
    """Import what measures a study afresh."""
    module, _, function = study.run.partition(":")
    found: Callable[[Setting], None] = getattr(import_module(module), function)
    return found

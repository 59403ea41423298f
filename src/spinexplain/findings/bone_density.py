"""The density of the bone for the whole scan: one level, and what it was scanned with."""

from __future__ import annotations

from dataclasses import dataclass

from spinexplain.anatomy import VertebraLevel
from spinexplain.findings.rules import verdict_of
from spinexplain.findings.scan import ScanFindings, VertebraFindings
from spinexplain.findings.verdict import MILD_LOSS, SUSPECTED
from spinexplain.spine.aorta import contrast_seen
from spinexplain.texts.catalogue import Catalogue

HEADER, AORTA = "header", "aorta"


@dataclass(frozen=True)
class BoneDensity:
    """Trabecular density of one level, and what a reader must know to use it.

    Parameters
    ----------
    level : str
    hu : float
    kv : float or None
        Tube voltage as the files say it.
    contrast : str
        ``"given"``, ``"none"`` or ``"unknown"``.
    contrast_from : str or None
        ``"header"`` or ``"aorta"``; None where unknown.
    aorta_hu : float or None
    impacted : bool
        Whether the level may be a crushed one, whose density is raised by impaction.
    """

    level: str
    hu: float
    kv: float | None
    contrast: str
    contrast_from: str | None
    aorta_hu: float | None
    impacted: bool = False


def bone_density(scan: ScanFindings) -> BoneDensity | None:
    """Return the density of L1, or of the level nearest to it that can be read.

    A level that may be impacted comes last.

    Parameters
    ----------
    scan : ScanFindings

    Returns
    -------
    BoneDensity or None
        None where no level could be read.
    """
    read = [item for item in scan.vertebrae if item.density is not None]
    if not read:
        return None
    chosen = min(read, key=_rank)
    assert chosen.density is not None
    contrast, source = _contrast(scan)
    return BoneDensity(
        chosen.vertebra.level.value,
        chosen.density.hu,
        scan.source.facts.kv,
        contrast,
        source,
        scan.aorta_hu,
        may_be_impacted(chosen),
    )


def may_be_impacted(item: VertebraFindings) -> bool:
    """Whether a body may be crushed: a suspected fracture, or a measured loss of 20 % or more.

    Impaction packs trabeculae closer, so that the density of such a body is that of the
    fracture and not of the bone.
    """
    lost = item.heights is not None and item.heights.loss >= MILD_LOSS
    return lost or verdict_of(item).state == SUSPECTED


def _rank(item: VertebraFindings) -> tuple[bool, float]:
    distance = abs(item.vertebra.level.order - VertebraLevel.L1.order)
    return may_be_impacted(item), distance


def _contrast(scan: ScanFindings) -> tuple[str, str | None]:
    if scan.source.facts.contrast:
        return "given", HEADER
    seen = contrast_seen(scan.aorta_hu)
    return seen, None if seen == "unknown" else AORTA


def density_words(found: BoneDensity, say: Catalogue) -> str:
    """Say the density, what it was scanned with, and the published lines with their source."""
    tube = "bone.tube_unknown" if found.kv is None else "bone.tube"
    how = f"bone.contrast.{found.contrast}"
    if found.contrast_from is not None:
        how += f".{found.contrast_from}"
    aorta = "" if found.aorta_hu is None else _hu(found.aorta_hu)
    line = say(
        "bone.line",
        level=found.level,
        hu=_hu(found.hu),
        tube=say(tube, kv="" if found.kv is None else f"{found.kv:g}"),
        contrast=say(how, hu=aorta),
    )
    return f"{line} {say('bone.impacted', level=found.level)}" if found.impacted else line


def _hu(value: float) -> str:
    return f"{value:.0f}".replace("-", "\N{MINUS SIGN}")

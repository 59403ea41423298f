"""Real CTs of the repository, as they are and with simulated fractures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.simulate import simulate_fracture
from spinexplain.reproduce.real_scans import WHOLE, RealScan, real_scan
from spinexplain.reproduce.transfer.prepared import prepared_scan, write_prepared

NOTES = {
    ("thoracic", "T11"): "Schmorl's node in the upper endplate: a look-alike",
    ("lumbar", "L1"): "borderline: dense endplate, slight wedge",
}
MASKED = {"lumbar": WHOLE["lumbar"][1:], "thoracic": ("T12",), "crop": ("L3",)}
SHAPES = ("wedge", "biconcave", "crush", "mixed")
LOSSES = {0.30: 2, 0.35: 2, 0.48: 3, 0.55: 3}
SEEDS = (1,)
PAIR_LOSSES = (0.35, 0.55)
CROP_EXAMPLES = 2  # the crop around L3 is refused whatever is in it


def fractured(scan: RealScan, level: str, shape: str, loss: float, seed: int) -> RealScan:
    """Simulate a fracture; mask and body centers follow it."""
    made = simulate_fracture(
        scan.volume,
        scan.simulation_mask,
        VertebraLevel(level),
        shape,
        loss,
        seed=seed,
        centroids=scan.centroids or (),
    )
    return replace(
        scan,
        volume=made.volume,
        labels=None if scan.labels is None else made.labels,
        centroids=None if scan.centroids is None else made.vertebrae,
        simulation_mask=made.labels,
    )


@dataclass(frozen=True)
class Simulated:
    """A real CT with no, one or several simulated fractures.

    Parameters
    ----------
    source : str
        Name of the scan.
    fractures : tuple of (level, shape, loss, seed)
    folder : Path
        Where prepared scans are kept.
    data : Path
        Folder of the real CTs.
    """

    source: str
    fractures: tuple[tuple[str, str, float, int], ...]
    folder: Path
    data: Path

    @property
    def path(self) -> Path:
        """Where the prepared scan is kept."""
        parts = [f"{lv}-{shape}-{loss:.2f}-{seed}" for lv, shape, loss, seed in self.fractures]
        return self.folder / "real" / f"{'_'.join([self.source, *(parts or ['as-is'])])}.npz"

    def make(self) -> None:
        """Simulate, prepare and store."""
        scan = real_scan(self.data, self.source)
        for level, shape, loss, seed in self.fractures:
            scan = fractured(scan, level, shape, loss, seed)
        facts: dict[str, Any] = {
            "source": self.source,
            "fractures": [list(fracture) for fracture in self.fractures],
        }
        write_prepared(self.path, facts, prepared_scan(scan, measured=not self.fractures))


def as_they_are(folder: Path, data: Path) -> list[Simulated]:
    """List the scans without a fracture."""
    return [Simulated(source, (), folder, data) for source in WHOLE]


def single(folder: Path, data: Path) -> list[Simulated]:
    """List every masked level x shape x loss x seed."""
    cases = [
        Simulated(source, ((level, shape, loss, seed),), folder, data)
        for seed, shape, loss in product(SEEDS, SHAPES, LOSSES)
        for source, levels in MASKED.items()
        for level in levels
    ]
    crops = [case for case in cases if case.source == "crop"][:CROP_EXAMPLES]
    return [case for case in cases if case.source != "crop"] + crops


def adjacent_crushes(folder: Path, data: Path) -> list[Simulated]:
    """List two crushed neighbors, at every pair of masked levels."""
    return [
        Simulated(
            source, ((lower, "crush", loss, seed), (upper, "crush", loss, seed)), folder, data
        )
        for source, levels in MASKED.items()
        for (upper, lower), loss, seed in product(pairwise(levels), PAIR_LOSSES, SEEDS)
    ]

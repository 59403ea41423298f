"""The table and the figure of docs/phantom.md on densities of phantoms and real CTs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from writers.markers import replaced
from writers.stored import stored


def read(results: Path) -> tuple[list[str], np.ndarray, dict[str, np.ndarray]]:
    """Return the sites, and the densities of phantoms and of each real CT, (vertebrae, sites)."""
    found = stored(results, "densities.json")
    real = {name: np.array(rows, float) for name, rows in found["real"].items()}
    return found["sites"], np.array(found["phantoms"], float), real


def written(page: str, results: Path) -> str:
    """Return the page with the table between the markers."""
    return replaced(page, "densities", table(*read(results)))


def table(sites: list[str], phantom: np.ndarray, real: dict[str, np.ndarray]) -> str:
    head = ["site (HU)", "phantoms: median, 5-95 %", *real, "real vertebrae inside"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    together = np.concatenate(list(real.values()))
    for k, site in enumerate(sites):
        low, mid, high = np.nanquantile(phantom[:, k], (0.05, 0.5, 0.95))
        cells = [f"{np.nanmin(r[:, k]):.0f} to {np.nanmax(r[:, k]):.0f}" for r in real.values()]
        known = together[:, k][np.isfinite(together[:, k])]
        cells.append(f"{np.sum((known >= low) & (known <= high))} of {len(known)}")
        lines.append(f"| {site} | {mid:.0f}, {low:.0f} to {high:.0f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(results: Path, images: Path) -> list[Path]:
    """Draw phantoms as boxes and real vertebrae as points."""
    sites, phantom, real = read(results)
    figure, axes = plt.subplots(1, len(sites), figsize=(13, 3))
    for k, (axis, site) in enumerate(zip(axes, sites, strict=True)):
        _site(axis, site, phantom[:, k], {name: rows[:, k] for name, rows in real.items()})
    axes[0].legend(fontsize=6)
    figure.tight_layout()
    path = images / "phantom" / "densities.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return [path]


def _site(axis: Any, site: str, phantom: np.ndarray, real: dict[str, np.ndarray]) -> None:
    values = phantom[np.isfinite(phantom)]
    axis.boxplot(values, positions=[0], widths=0.5, whis=(5, 95), showfliers=False)
    for at, (name, own) in enumerate(real.items()):
        axis.plot(np.full(len(own), 1 + 0.3 * at), own, "o", ms=3, label=name)
    axis.set_title(site, fontsize=9)
    axis.set_xticks([0, 1.3], ["phantom", "real"], fontsize=8)
    axis.tick_params(axis="y", labelsize=8)

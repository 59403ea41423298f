"""What naming knows of spines, as a file beside the weights."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from importlib import resources
from pathlib import Path

from spinexplain.errors import ModelError
from spinexplain.io.json_file import write_json
from spinexplain.localizer.naming import STATES, NamingPrior

PRIOR_FILE = "naming.json"


@cache
def shipped_prior() -> NamingPrior:
    """Return the prior that comes with the package, fitted to training phantoms."""
    return read_prior(Path(str(resources.files("spinexplain.localizer") / "shipped" / PRIOR_FILE)))


def read_prior(path: Path) -> NamingPrior:
    """Read a prior.

    Raises
    ------
    ModelError
        If the file is missing or not whole.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        gaps = content.pop("gap_mm")
        return NamingPrior(tuple(float(gaps[name]) for name in STATES), **content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path}: holds no prior of namings ({error}); expected the one that the package "
            "comes with. Install the package again."
        ) from error


def write_prior(path: Path, prior: NamingPrior) -> None:
    """Write a prior, gaps by the names of their levels."""
    content = asdict(prior)
    content["gap_mm"] = dict(zip(STATES, (round(g, 2) for g in prior.gap_mm), strict=True))
    write_json(path, content)

"""Vertebral fracture grading on CT, with evidence a radiologist can look at.

Examples
--------
>>> import spinexplain
>>> "grade" in dir(spinexplain)
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spinexplain.anatomy import VertebraLevel
    from spinexplain.errors import SpinexplainError
    from spinexplain.findings.assess import explain, grade
    from spinexplain.findings.scan import ScanFindings, VertebraFindings
    from spinexplain.io.centroids import read_centroids
    from spinexplain.io.nifti import read_labels, read_volume
    from spinexplain.models.bundle.store import load_grader
    from spinexplain.report.html import write_report
    from spinexplain.spine.localize import localize
    from spinexplain.spine.morphometry import measure
    from spinexplain.spine.reformat import reformat
    from spinexplain.types import (
        Evidence,
        Exemplar,
        Explanation,
        Grading,
        Heights,
        LabelMap,
        Patch,
        Vertebra,
        Volume,
    )

__all__ = [
    "Evidence",
    "Exemplar",
    "Explanation",
    "Grading",
    "Heights",
    "LabelMap",
    "Patch",
    "ScanFindings",
    "SpinexplainError",
    "Vertebra",
    "VertebraFindings",
    "VertebraLevel",
    "Volume",
    "explain",
    "grade",
    "load_grader",
    "localize",
    "measure",
    "read_centroids",
    "read_labels",
    "read_volume",
    "reformat",
    "write_report",
]

# Where each public name lives. They are imported on first use, so that importing the
# package costs milliseconds and does not import torch.
_HOME = {
    "ScanFindings": "findings.scan",
    "SpinexplainError": "errors",
    "VertebraFindings": "findings.scan",
    "VertebraLevel": "anatomy",
    "explain": "findings.assess",
    "grade": "findings.assess",
    "load_grader": "models.bundle.store",
    "localize": "spine.localize",
    "measure": "spine.morphometry",
    "read_centroids": "io.centroids",
    "read_labels": "io.nifti",
    "read_volume": "io.nifti",
    "reformat": "spine.reformat",
    "write_report": "report.html",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'spinexplain' has no attribute {name!r}")
    return getattr(import_module(f"spinexplain.{_HOME.get(name, 'types')}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

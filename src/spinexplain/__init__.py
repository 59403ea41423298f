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
    from spinexplain.config.tasks import Task
    from spinexplain.errors import SpinexplainError
    from spinexplain.findings.assess import explain, grade, patches_for
    from spinexplain.findings.scan import Assessment, ScanFindings, VertebraFindings
    from spinexplain.io.centroids import read_centroids
    from spinexplain.io.nifti import read_labels, read_volume
    from spinexplain.io.read import read_scan
    from spinexplain.localizer.located import Localization
    from spinexplain.localizer.own import Found, find_vertebrae, localize
    from spinexplain.models.bundle.store import load_grader
    from spinexplain.models.grader import Grader
    from spinexplain.report.html import write_report
    from spinexplain.results.result import Result
    from spinexplain.results.result_json import read_result, write_result
    from spinexplain.spine.morphometry import measure
    from spinexplain.spine.reformat import reformat
    from spinexplain.types import (
        Evidence,
        Exemplar,
        Explanation,
        Grading,
        Heights,
        LabelMap,
        ModelInfo,
        Patch,
        PrototypeDetail,
        Provenance,
        UnitDetail,
        Vertebra,
        Volume,
    )

__all__ = [
    "Assessment",
    "Evidence",
    "Exemplar",
    "Explanation",
    "Found",
    "Grader",
    "Grading",
    "Heights",
    "LabelMap",
    "Localization",
    "ModelInfo",
    "Patch",
    "PrototypeDetail",
    "Provenance",
    "Result",
    "ScanFindings",
    "SpinexplainError",
    "Task",
    "UnitDetail",
    "Vertebra",
    "VertebraFindings",
    "VertebraLevel",
    "Volume",
    "explain",
    "find_vertebrae",
    "grade",
    "load_grader",
    "localize",
    "measure",
    "patches_for",
    "read_centroids",
    "read_labels",
    "read_result",
    "read_scan",
    "read_volume",
    "reformat",
    "write_report",
    "write_result",
]

# Where each public name lives. They are imported on first use, so that importing the
# package costs milliseconds and does not import torch.
_HOME = {
    "Assessment": "findings.scan",
    "Found": "localizer.own",
    "Grader": "models.grader",
    "Localization": "localizer.located",
    "Result": "results.result",
    "ScanFindings": "findings.scan",
    "SpinexplainError": "errors",
    "Task": "config.tasks",
    "VertebraFindings": "findings.scan",
    "VertebraLevel": "anatomy",
    "explain": "findings.assess",
    "find_vertebrae": "localizer.own",
    "grade": "findings.assess",
    "load_grader": "models.bundle.store",
    "localize": "localizer.own",
    "measure": "spine.morphometry",
    "patches_for": "findings.assess",
    "read_centroids": "io.centroids",
    "read_labels": "io.nifti",
    "read_result": "results.result_json",
    "read_scan": "io.read",
    "read_volume": "io.nifti",
    "reformat": "spine.reformat",
    "write_report": "report.html",
    "write_result": "results.result_json",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'spinexplain' has no attribute {name!r}")
    return getattr(import_module(f"spinexplain.{_HOME.get(name, 'types')}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

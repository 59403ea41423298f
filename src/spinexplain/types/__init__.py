"""The core types: frozen, in HU and millimeters, with no behavior beyond validation.

World coordinates are RAS+ millimeters: x grows towards the patient's right, y towards
anterior, z towards cranial. Voxel indices carry the suffix ``_ijk``, world points ``_mm``.
"""

from spinexplain.types.explanation import (
    Detail,
    Evidence,
    Exemplar,
    Explanation,
    PrototypeDetail,
    Provenance,
    UnitDetail,
)
from spinexplain.types.grading import HEIGHT_NAMES, Grading, Heights
from spinexplain.types.model_info import EvidenceReliability, ModelInfo, says_synthetic_only
from spinexplain.types.scan import Array, Frame, LabelMap, Patch, Vertebra, Volume
from spinexplain.types.sides import SideEvidence, SideReliability

__all__ = [
    "HEIGHT_NAMES",
    "Array",
    "Detail",
    "Evidence",
    "EvidenceReliability",
    "Exemplar",
    "Explanation",
    "Frame",
    "Grading",
    "Heights",
    "LabelMap",
    "ModelInfo",
    "Patch",
    "PrototypeDetail",
    "Provenance",
    "SideEvidence",
    "SideReliability",
    "UnitDetail",
    "Vertebra",
    "Volume",
    "says_synthetic_only",
]

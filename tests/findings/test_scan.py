import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ShapeError
from spinexplain.findings.scan import Assessment, VertebraFindings
from spinexplain.geometry import BoxFrame
from spinexplain.types import Patch, Vertebra


def test_the_vertebra_of_findings_is_that_of_their_patch():
    vertebra = Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0))
    frame = BoxFrame(np.zeros(3), np.eye(3), (2, 2, 2), 1.0)
    patch = Patch(vertebra, np.zeros((2, 2, 2), np.float32), frame)
    findings = VertebraFindings(patch, None, (Assessment.refused("metal"),))
    assert findings.vertebra is vertebra
    assert findings.flags == ()


def test_an_assessment_is_a_grade_or_a_refusal():
    with pytest.raises(ShapeError, match="exactly one"):
        Assessment(None, None)

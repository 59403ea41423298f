from dataclasses import replace

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ShapeError
from spinexplain.geometry import BoxFrame
from spinexplain.types import Evidence, Explanation, Patch, PrototypeDetail, Vertebra

L1 = Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0))
FRAME = BoxFrame(np.zeros(3), np.eye(3), (2, 3, 4), 1.0)
PATCH = Patch(L1, np.zeros((2, 3, 4), np.float32), FRAME)


def test_evidence_comes_sorted_by_score():
    items = [Evidence(str(score), "G2", np.zeros((2, 3, 4)), score) for score in (2.0, 1.0)]
    assert Explanation(PATCH, "G2", "prototypes", "logit", tuple(items)).evidence[0].score == 2
    with pytest.raises(ShapeError, match=r"sorted by score; got \[1.0, 2.0\]"):
        Explanation(PATCH, "G2", "prototypes", "logit", tuple(items[::-1]))


def test_terms_are_derived_from_the_detail():
    heat = np.zeros((2, 3, 4))
    detail = PrototypeDetail(similarity=2.0, connection=0.5)
    item = Evidence("G2 prototype 1", "G2", heat, 1.0, detail=detail)
    assert item.terms == {"similarity": 2.0, "connection": 0.5}
    again = replace(item, detail=replace(detail, max_similarity=3.0))
    assert again.terms["max_similarity"] == 3.0
    assert Evidence("GradCAM", "G2", heat, 1.0, {"peak": 2.0}).terms == {"peak": 2.0}

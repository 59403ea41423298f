"""Words of a difference follow from its interval alone."""

import json

from writers.explanations_paired import ASKED_MAP, PAIRED, meaning, paired_in, pairwise, sense


def one(low, high):
    return {"value": (low + high) / 2, "low": low, "high": high}


ROW = {"endplate": one(0.01, 0.1), "third": one(-0.1, -0.01), "top_share": one(-0.01, 0.01)}


def test_only_the_map_that_was_asked_in_training_is_the_opponent(tmp_path):
    assert paired_in(tmp_path) == []
    rows = [{"explainer": name} for name in ("gradcam", ASKED_MAP)]
    (tmp_path / PAIRED).write_text(json.dumps({"rows": rows}), "utf-8")
    assert paired_in(tmp_path) == rows[1:]


def test_every_question_has_its_own_answer():
    assert [sense(found) for found in ROW.values()] == [
        "the prototypes are ahead",
        "the class map is ahead",
        "no difference seen",
    ]
    assert "which third −0.06 (−0.10 to −0.01), the class map is ahead;" in pairwise([ROW])
    assert meaning([ROW]) == (
        "Pair by pair: the prototypes are ahead at which endplate; the class map is ahead at which "
        "third. One training each."
    )
    assert "is not shown" in meaning([dict.fromkeys(ROW, one(-0.1, 0.1))])

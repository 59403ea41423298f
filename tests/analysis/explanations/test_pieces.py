import json

import numpy as np
import pytest

from spinexplain.analysis.explanations.chunk import ChunkSettings, read_chunks
from spinexplain.analysis.explanations.pieces import (
    AT_ONCE,
    Source,
    compute,
    folder_name,
    loaded_grader,
    planned_pieces,
    write_json,
)
from spinexplain.explainers.answers import exported_network
from spinexplain.models.bundle.store import load_grader


def test_chunks_cover_all_vertebrae_once(tmp_path):
    source = Source("model", tmp_path, tuple(range(45)))
    pieces = planned_pieces(source, ("a", "b"), 45, 2, tmp_path, ChunkSettings(0, 0, 0))
    of_a = [range(p.start, min(p.stop, 45)) for p in pieces if p.explainer == "a"]
    assert sorted(k for rows in of_a for k in rows) == list(range(45))
    assert len({piece.path for piece in pieces}) == len(pieces) == 2 * -(-45 // AT_ONCE[2])


def test_the_pieces_of_a_run_are_stored(scored):
    folders = sorted((scored.request.out / "pieces").iterdir())
    assert len(folders) == 1
    found = read_chunks(sorted((folders[0] / "gradcam").glob("maps-*.npz")))
    assert found["rows"].tolist() == list(range(len(found["rows"])))
    assert 14 < len(found["rows"]) <= 28  # every fracture's neighbor comes on top
    random = json.loads((folders[0] / "gradcam" / "random.json").read_text())
    assert set(random) == {"weights", "weights_flagged", "labels", "labels_flagged"}
    assert -1 <= random["weights"] <= 1


def test_what_is_stored_is_not_computed_again(tmp_path):
    pieces = planned_pieces(
        Source("no such model", tmp_path, ()), ("a",), 1, 2, tmp_path, ChunkSettings(0, 0, 0)
    )
    pieces[0].path.parent.mkdir(parents=True)
    pieces[0].path.write_bytes(b"")
    compute(pieces[0])  # would fail if it looked for the model
    assert pieces[0].path.read_bytes() == b""


def test_one_thread_gives_the_logits_of_all(drawn):
    patches = [drawn.bench.patch(row) for row in range(3)]
    one = loaded_grader("protoverse-phantom")
    assert exported_network(one) is not None
    assert np.allclose(
        one.logits(patches), load_grader("protoverse-phantom").logits(patches), atol=1e-4
    )


@pytest.mark.parametrize(("name", "safe"), [("a/b", "a_b"), ("..", "_"), ("x:Y", "x_Y")])
def test_names_stay_inside_their_folder(name, safe):
    assert folder_name(name) == safe


def test_what_is_not_a_number_is_null(tmp_path):
    write_json(tmp_path / "a.json", {"x": float("nan"), "y": [np.float64(1.5)], 3: True})
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": None, "y": [1.5], "3": True}

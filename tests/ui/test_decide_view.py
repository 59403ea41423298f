from spinexplain.types import ModelInfo
from spinexplain.ui.decide_view import decide_view


def test_a_model_without_a_hash_is_not_decided_about():
    assert decide_view(ModelInfo("m", "1", "", ("G0", "G2"), "toys"), 6, 112.0, 2) is None


def test_boxes_are_not_painted_on():
    info = ModelInfo("m", "2", "", ("G0", "G2"), "toys", weights_sha256="b" * 64)
    found = decide_view(info, 3, 112.0, 3, "/models/x/decisions")
    assert found.cells is None
    assert (found.name, found.version, found.store) == ("m", "2", "/models/x/decisions")

import numpy as np

from spinexplain.analysis.atlas.record import AtlasPatch, ModelAtlas, PrototypeEntry
from spinexplain.types import ModelInfo, Provenance


def test_the_owner_of_a_prototype_is_the_place_of_its_class():
    source = AtlasPatch(
        Provenance("s", "t", "L1", "G2", True), (0, 0), 1.0, 0.0, None, np.zeros((4, 4))
    )
    names = ("G3", "G0", "G3")
    atlas = ModelAtlas(
        info=ModelInfo("m", "1", "", ("G0", "G2", "G3"), ""),
        prototypes=tuple(PrototypeEntry(name, name, source, {}) for name in names),
        before=None,
        after=np.zeros((3, 2)),
        center=None,
        patch_distance=None,
        patch_cosine=None,
        embedding=None,
        crops={},
        structure_crops=0,
        extent_mm=4,
        grid=(2, 2),
        field_mm=2,
        stride_mm=2,
        start_mm=1,
    )
    assert atlas.owner.tolist() == [2, 0, 2]

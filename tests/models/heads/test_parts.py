"""Names and numbers of addressed prototypes agree with the network and the head as arrays."""

import numpy as np
import torch

from spinexplain.config.training import HeadSettings, InputSpec, TrunkSettings
from spinexplain.explainers.prototypes import prototype_name
from spinexplain.models.build import build_model
from spinexplain.models.heads.parts import BROKEN, INTACT, part_names, prototype_counts
from spinexplain.models.heads.prototype_head import head_from_arrays
from spinexplain.models.trunks.backbones import build_trunk


def test_every_class_has_its_parts():
    assert part_names(3) == (*INTACT, *BROKEN, *BROKEN)
    assert prototype_counts(HeadSettings(prototypes_per_class=2), 3) == [2, 2, 2]


def test_an_addressed_network_has_a_prototype_for_every_part():
    spec = InputSpec(size=32, extent_mm=32)
    trunk = build_trunk(TrunkSettings(name="conv", weights="none", blocks=2, widths=(3, 4)), spec)
    settings = HeadSettings(addressed=True, feature_dim=5, add_on_width=7)
    model = build_model(trunk, settings, 3, spec)
    assert model.prototype_class.tolist() == [0] * 3 + [1] * 4 + [2] * 4
    assert model.add_on[0].out_channels == 7
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 3)
    head = model.described_head()
    stored = head_from_arrays(head.connections, head.owner, head.field, settings)
    assert stored.parts == head.parts == part_names(3)
    names = [prototype_name(("G0", "G2", "G3"), head.owner, k, head.parts) for k in range(11)]
    assert len(set(names)) == 11
    assert names[9] == "G3, inferior endplate, anterior half"


def test_without_parts_prototypes_are_numbered():
    assert prototype_name(("G0", "G2"), np.array([0, 0, 1]), 2) == "G2 prototype 1"

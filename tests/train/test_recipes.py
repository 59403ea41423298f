from typing import get_args

from spinexplain.config import HeadSettings
from spinexplain.models.build import MODELS
from spinexplain.train.recipes import RECIPES, train_model


def test_every_kind_of_head_has_a_network_and_a_recipe():
    kinds = set(get_args(HeadSettings.model_fields["kind"].annotation))
    assert set(RECIPES) == set(MODELS) == kinds


def test_each_head_is_trained_by_its_own_recipe(toy_set, toy_config, tmp_path, monkeypatch):
    for kind in ("linear", "prototype"):
        monkeypatch.setitem(RECIPES, kind, lambda arguments, kind=kind: (kind, len(arguments[1])))
        got = train_model(toy_config(head={"kind": kind}), toy_set(), tmp_path / kind)
        assert got[0] == kind
        assert 0 < got[1] < len(toy_set())

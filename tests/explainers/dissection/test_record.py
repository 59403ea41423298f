from dataclasses import replace

import pytest

from spinexplain.errors import ModelError
from spinexplain.explainers.dissection.record import names_key


def test_columns_hold_one_row_a_unit(known_dissected):
    d = known_dissected.dissection
    table = d.columns()
    assert {len(column) for column in table.values()} == {5}
    assert {"threshold", "contrast", "rank_low", "iou_evidence", "lift_shortcut"} <= set(table)


def test_top_units_leave_out_what_was_set_aside(known_dissected):
    d = known_dissected.dissection
    assert len(d.top(10)) == 3
    assert d.top(1) == [int((d.statistics.rank == 1).argmax())]


def test_another_model_is_refused(known_dissected):
    d = known_dissected.dissection
    d.check_model(d.model)
    with pytest.raises(ModelError, match="Units mean nothing in another network"):
        d.check_model(replace(d.model, name="other", sha256="b2" * 32))
    bare = replace(d.model, sha256="")
    assert replace(d, model=bare).fits(bare)
    assert not replace(d, model=bare).fits(replace(bare, name="other"))


def test_names_belong_to_model_and_layer(known_dissected):
    d = known_dissected.dissection
    assert d.key == names_key("a1" * 32, "layers")
    assert d.key != replace(d, layer="layers.0").key
    assert d.key != replace(d, model=replace(d.model, sha256="b2" * 32)).key
    assert d.key == replace(d, quantile=0.9).key

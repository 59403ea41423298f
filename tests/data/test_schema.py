import pyarrow as pa

from spinexplain.data.schema import COHORT_SCHEMA, KINDS, index_schema
from spinexplain.data.shard import SeriesShard, VertebraRow, shard_table


def test_there_are_twelve_arrays_of_hu_and_labels():
    assert len(KINDS) == 12
    assert {kind.dtype for kind in KINDS.values()} == {"int16", "uint8"}
    assert KINDS["patches_2d"].shape == (144, 144)
    assert KINDS["evidence_3d"].shape == (112, 112, 112)
    assert [name for name, kind in KINDS.items() if kind.is_patch] == ["patches_2d", "patches_3d"]


def test_no_column_can_hold_an_object():
    for field in index_schema():
        inner = field.type.value_type if pa.types.is_list(field.type) else field.type
        assert pa.types.is_primitive(inner) or pa.types.is_string(inner)


def test_every_field_of_a_row_has_a_column():
    table = shard_table(SeriesShard("s", "s", [VertebraRow("L1")], {}))
    fields = set(VertebraRow.__dataclass_fields__) - {"sheet", "box"}
    assert fields <= set(table.column_names)
    assert table["cohort_schema"].to_pylist() == [COHORT_SCHEMA]

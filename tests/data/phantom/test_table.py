from spinexplain.data.phantom.table import COLUMNS, write_fracture_csv
from spinexplain.data.table import read_fracture_table


def vertebra(level, grade, shape, foreign=False):
    return {"level": level, "grade": grade, "shape": shape, "foreign_material": foreign}


def test_the_table_reads_back_as_the_official_one(tmp_path):
    truth = {
        "subject": "phantom0001",
        "spacing_mm": [1.0, 1.0, 3.0],
        "levels_in_view": ["T12", "L1", "L2"],
        "vertebrae": [
            vertebra("T12", 0, "none"),
            vertebra("L1", 3, "crush"),
            vertebra("L2", None, None, foreign=True),
        ],
    }
    path = tmp_path / "fractures.csv"
    write_fracture_csv(path, [truth])
    table = read_fracture_table(path)
    record = table.series["phantom0001"]
    assert record.grades == {"T12": "G0", "L1": "G3", "L2": "x"}
    assert record.shapes["L1"] == "crush"
    assert record.split == "training"
    assert table.remarks == ()
    assert len(COLUMNS) == 48

from spinexplain.data.phantom.table import COLUMNS, write_fracture_csv, write_participants
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


def test_t13_gets_columns_of_its_own_where_somebody_has_one(tmp_path):
    path = tmp_path / "fractures.csv"
    truths = [
        {
            "subject": f"phantom000{k}",
            "spacing_mm": [1.0, 1.0, 1.0],
            "levels_in_view": levels,
            "vertebrae": [vertebra(level, 2, "wedge") for level in levels],
        }
        for k, levels in enumerate((["T12", "T13"], ["L5", "L6"]))
    ]
    write_fracture_csv(path, truths)
    table = read_fracture_table(path)
    assert table.series["phantom0000"].grades == {"T12": "G2", "T13": "G2"}
    assert table.series["phantom0001"].grades == {"L5": "G2", "L6": "G2"}
    assert len(path.read_text().splitlines()[0].split(",")) == 50
    # by the subject's own number, not by its place: 0 and 1 of four, 1 being the first
    assert [table.series[f"phantom000{k}"].split for k in (0, 1)] == ["test", "training"]


def test_participants_are_listed_as_bids_has_them(tmp_path):
    path = tmp_path / "participants.tsv"
    patients = [
        {"sex": "female", "stature_cm": 161.5, "extra_levels": []},
        {"sex": "male", "stature_cm": 180.0, "extra_levels": ["T13", "L6"]},
    ]
    write_participants(path, [{"subject": f"p{k}", "patient": p} for k, p in enumerate(patients)])
    assert path.read_text().splitlines() == [
        "participant_id\tsex\theight\textra_levels",
        "sub-p0\tfemale\t161.5\tn/a",
        "sub-p1\tmale\t180.0\tT13,L6",
    ]

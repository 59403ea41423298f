import json
from pathlib import Path

import pytest

from spinexplain.errors import ConfigError
from spinexplain.experiment.stored import Stored
from spinexplain.experiment.units_table import unit_rows


def stored(folder, regions=("body",)):
    units = {"rank": [2, 0, 1, 3]}
    for region, lift in (("body", 1.0), ("disc_above", 9.0)):
        units[f"iou_{region}"] = [0.1] * 4
        units[f"inside_{region}"] = [0.2] * 4
        units[f"lift_{region}"] = [lift] * 4
    content = {"key": "k", "regions": list(regions), "units": units}
    return Stored(Path(folder) / "dissection.json", "e" * 64, content)


def named(folder, key="k", **said):
    rater = {"schema": "spinexplain/unit-names/1", "key": key, "rater": "A", "names": [said]}
    (folder / "names.json").write_text(json.dumps([rater]))


def test_set_aside_units_have_no_row_and_others_come_by_rank(tmp_path):
    assert unit_rows(stored(tmp_path)) == [("1", "unit 2"), ("2", "unit 0"), ("3", "unit 3")]


def test_readers_words_come_before_what_anatomy_suggests(tmp_path):
    named(tmp_path, unit=0, name="disc space", meaningful=False)
    assert unit_rows(stored(tmp_path, ("body", "disc_above")))[:2] == [
        ("1", "unit 2, suggested: disc above"),
        ("2", "unit 0: disc space (meaningful to 0 of 1)"),
    ]


def test_a_verdict_and_a_name_are_two_things(tmp_path):
    named(tmp_path, unit=0, name="disc space")
    assert unit_rows(stored(tmp_path))[1] == ("2", "unit 0: disc space (no verdict)")
    named(tmp_path, unit=2, meaningful=False)
    assert unit_rows(stored(tmp_path))[0] == ("1", "unit 2: no pattern (to 1 of 1)")


def test_without_any_region_nothing_is_suggested(tmp_path):
    assert unit_rows(stored(tmp_path, ()))[0] == ("1", "unit 2")


def test_names_of_another_layer_are_refused(tmp_path):
    named(tmp_path, key="other", unit=0, name="x")
    with pytest.raises(ConfigError, match="another model or layer"):
        unit_rows(stored(tmp_path))

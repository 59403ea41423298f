import json

import pytest

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.explainers.dissection.names import (
    NAMES_SCHEMA,
    RaterNames,
    consensus,
    merge_names,
    read_names,
    read_raters,
    write_names,
)

KEY = "k" * 64


def _content(rater="A. Reader", key=KEY, names=((1, "endplate", True),)):
    said = [{"unit": u, "name": n, "meaningful": m} for u, n, m in names]
    return {"schema": NAMES_SCHEMA, "key": key, "rater": rater, "names": said}


def _rater(*names, rater="A. Reader"):
    return RaterNames.model_validate(_content(rater, names=names))


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "names.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_a_raters_file_is_read(file):
    (rater,) = read_raters(file(_content()), KEY, 5)
    assert (rater.rater, rater.names[0].name, rater.names[0].meaningful) == (
        "A. Reader",
        "endplate",
        True,
    )


def test_the_names_of_another_copy_are_read_too(file, tmp_path):
    raters = (_rater((1, "endplate", True)), _rater((2, "disc", None), rater="B"))
    assert read_raters(write_names(tmp_path, raters), KEY, 5) == raters


def test_names_never_attach_to_another_model_or_layer(file, tmp_path):
    with pytest.raises(ConfigError, match="of these very weights"):
        read_raters(file(_content(key="x" * 64)), KEY, 5)
    write_names(tmp_path, [_rater((1, "a", None))])
    assert read_names(tmp_path, KEY)[0].names[0].name == "a"
    with pytest.raises(ConfigError, match="another model or layer"):
        read_names(tmp_path, "x" * 64)


def test_units_that_are_not_there(file):
    with pytest.raises(ConfigError, match="names unit 7; the layer has units 0 to 4"):
        read_raters(file(_content(names=((7, "a", None),))), KEY, 5)


def test_one_unit_with_two_names_in_one_file(file):
    twice = ((1, "endplate", True), (1, "disc", True))
    with pytest.raises(ConfigError, match='unit 1 is "endplate, meaningful" and "disc'):
        read_raters(file(_content(names=twice)), KEY, 5)
    same = ((1, "endplate", True), (1, "endplate", True))
    assert len(read_raters(file(_content(names=same)), KEY, 5)[0].names) == 1


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        {"schema": "other", "key": KEY, "rater": "A", "names": []},
        {"schema": NAMES_SCHEMA, "key": KEY, "rater": "  ", "names": []},
        {"schema": NAMES_SCHEMA, "key": KEY, "rater": "A", "names": [{"unit": -1}]},
        {"schema": NAMES_SCHEMA, "key": KEY, "rater": "A", "names": [], "extra": 1},
        _content(names=((1, "x" * 121, None),)),
    ],
)
def test_files_that_are_no_raters_files(file, content):
    with pytest.raises(FileFormatError, match="concept atlas exports"):
        read_raters(file(content), KEY, 5)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileFormatError, match="no such file"):
        read_raters(tmp_path / "none.json", KEY, 5)


def test_raters_stand_side_by_side_and_one_may_say_more_later():
    known = merge_names((), _rater((1, "endplate", True)))
    known = merge_names(known, _rater((1, "disc", False), rater="B"))
    known = merge_names(known, _rater((1, "endplate", True), (2, "wall", None)))
    assert [(rater.rater, len(rater.names)) for rater in known] == [("A. Reader", 2), ("B", 1)]


def test_a_rater_who_contradicts_himself_is_refused_unless_asked_to_replace():
    known = merge_names((), _rater((1, "endplate", True), (3, "wall", None)))
    with pytest.raises(ConfigError, match=r'^new: .*said "endplate, meaningful" of unit 1 before'):
        merge_names(known, _rater((1, "disc", True)), source="new: ")
    replaced = merge_names(known, _rater((1, "disc", True)), replace=True)
    assert [item.name for item in replaced[0].names] == ["disc", "wall"]


def test_consensus_counts_heads():
    raters = [
        _rater((1, "Endplate", True), rater="A"),
        _rater((1, "endplate", False), rater="B"),
        _rater((1, "", True), rater="C"),
        _rater((1, "", None), rater="D"),
        _rater((2, "disc", None), rater="E"),
        _rater((2, "wall", None), rater="F"),
    ]
    said = consensus(raters, 1)
    assert (said.name, said.raters, said.meaningful, said.meaningless) == ("Endplate", 3, 2, 1)
    assert consensus(raters, 2).name == "disc / wall"
    assert consensus(raters, 3).name == ""


def test_what_was_written_is_read_again(tmp_path):
    raters = (_rater((1, "Endplatte, ürgs", True)), _rater((2, "<b>", None), rater="B"))
    write_names(tmp_path, raters)
    assert read_names(tmp_path, KEY) == raters
    (tmp_path / "names.json").write_text("{}")
    with pytest.raises(FileFormatError, match="list of raters"):
        read_names(tmp_path, KEY)

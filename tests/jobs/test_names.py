import json

import pytest

from spinexplain.errors import SpinexplainError
from spinexplain.explainers.dissection.names import read_names
from spinexplain.explainers.dissection.store import write_dissection
from spinexplain.jobs.names import NamesRequest, merge_names_into


@pytest.fixture
def folder(known_dissected, tmp_path):
    path = tmp_path / "dissection"
    path.mkdir()
    write_dissection(known_dissected.dissection, path)
    return path


def rater(path, dissection, name, word):
    names = [{"unit": 0, "name": word, "meaningful": True, "note": ""}]
    content = {
        "schema": "spinexplain/unit-names/1",
        "key": dissection.key,
        "model": dissection.model.name,
        "layer": dissection.layer,
        "rater": name,
        "names": names,
    }
    path.write_text(json.dumps(content))
    return path


def test_the_words_of_two_raters_are_merged(folder, known_dissected, tmp_path):
    known = known_dissected.dissection
    files = [rater(tmp_path / f"{n}.json", known, n, f"seen by {n}") for n in ("a", "b")]
    merged = merge_names_into(NamesRequest(folder, tuple(files)))
    assert [one.rater for one in merged.names] == ["a", "b"]
    assert read_names(folder, known.key) == merged.names
    assert "seen by b" in (folder / "concepts.html").read_text()


def test_other_words_of_the_same_rater_need_replace(folder, known_dissected, tmp_path):
    known = known_dissected.dissection
    merge_names_into(NamesRequest(folder, (rater(tmp_path / "1.json", known, "a", "old"),)))
    later = (rater(tmp_path / "2.json", known, "a", "new"),)
    with pytest.raises(SpinexplainError, match="unit 0"):
        merge_names_into(NamesRequest(folder, later))
    merged = merge_names_into(NamesRequest(folder, later, replace=True))
    assert merged.names[0].names[0].name == "new"

"""What readers see, apart from the truth; changed and foreign files are refused."""

import json

import pytest

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.study.record import missing_pictures, read_key, read_study
from study.conftest import opened


def test_the_readers_file_names_no_model_no_grade_and_no_foil(made):
    text = (made / "study.json").read_text()
    study, key = opened(made)
    secrets = [arm.model for arm in key.arms.values()] + list(key.arms)
    secrets += ["foil", "repeat_of", "sub-", '"G2"', '"G3"', "image-blind"]
    assert not [word for word in secrets if word in text]
    assert set(key.items) == {item.id for item in study.items}


def test_a_changed_study_is_refused(written):
    folder = written()
    content = json.loads((folder / "study.json").read_text())
    content["questions"][0]["text"] = "Is it nice?"
    (folder / "study.json").write_text(json.dumps(content))
    with pytest.raises(FileFormatError, match="was changed after"):
        read_study(folder)


def test_a_foreign_key_and_a_folder_that_is_none(written, tmp_path):
    folder, other = written(), written(cases=5, foils=2, repeats=0)
    (folder / "key.json").write_bytes((other / "key.json").read_bytes())
    with pytest.raises(FileFormatError, match="of another study"):
        read_key(folder, read_study(folder))
    with pytest.raises(ConfigError, match="not a study"):
        read_study(tmp_path)
    (other / "study.json").write_text("{}")
    with pytest.raises(FileFormatError, match="expected what study create wrote"):
        read_study(other)


def test_missing_pictures_are_named(written):
    folder = written(cases=3, foils=0, repeats=0)
    study = read_study(folder)
    assert missing_pictures(folder, study) == []
    (folder / "pictures" / "p0.png").unlink()
    assert missing_pictures(folder, study) == [item.id for item in study.items]


def test_an_id_is_no_number(made_study):
    assert made_study[0].id[0].isalpha()
    with pytest.raises(ConfigError, match="readers 1 to 2"):
        made_study[0].plan(3)
    with pytest.raises(KeyError):
        made_study[0].item("NONE")

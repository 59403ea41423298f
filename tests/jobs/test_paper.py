from pathlib import Path

import pytest

from spinexplain.errors import ConfigError
from spinexplain.jobs.paper import PaperRequest, estimated, paper_to_folder
from spinexplain.reproduce import papers

ROOT = Path(__file__).parents[2]


def test_what_is_missing_is_asked_for(tmp_path):
    with pytest.raises(ConfigError, match="--table are needed"):
        paper_to_folder(PaperRequest("verse19", tmp_path, checkout=ROOT))
    request = PaperRequest("verse19", tmp_path, (tmp_path / "no",), tmp_path, checkout=ROOT)
    with pytest.raises(ConfigError, match="no: is not there"):
        paper_to_folder(request)


def test_phantoms_need_no_data(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(papers, "run_command", lambda command, folder: ran.append(command) or 0)
    out = tmp_path / "out"
    page = paper_to_folder(PaperRequest("detector-sizes", out, checkout=ROOT, seeds=1))
    assert [words[0] for words in ran] == ["phantom"] * 4 + ["trials"] + ["dissect"] * 3 + [
        "tables"
    ]
    assert "0 of 8 steps done" in page.read_text("utf-8")


def test_hours_are_computed_without_data(tmp_path):
    text = estimated(PaperRequest("verse19", tmp_path / "out", checkout=ROOT, seeds=1))
    assert "| cross-validation | tables 2 and 3, figure 3 |" in text
    assert not (tmp_path / "out").exists()

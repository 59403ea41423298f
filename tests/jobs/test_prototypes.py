import json
from pathlib import Path

from spinexplain.jobs.prototypes import (
    PrototypesRequest,
    atlas_to_folder,
    command_line,
    in_words,
)


def test_the_command_makes_the_same_atlas_again():
    request = PrototypesRequest("my run", Path("atlas"), (Path("a"), Path("b")), beside="other")
    assert command_line(request) == (
        "spinexplain prototypes 'my run' -o atlas --cohort a --cohort b --beside other"
    )


def test_steps_name_the_model_they_are_of(finished_run, tmp_path, listener):
    atlas = atlas_to_folder(PrototypesRequest(str(finished_run[0]), tmp_path / "atlas"), listener)
    assert {name for name, _, _ in listener.steps} == {"tiny-run: crops", "tiny-run: structures"}
    written = json.loads((tmp_path / "atlas" / "atlas.json").read_text())["models"][0]
    assert len(written["prototypes"]) == len(atlas.prototypes)
    assert "lie on the target" in in_words(atlas)

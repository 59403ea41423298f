import shutil

import pytest

from spinexplain.errors import ConfigError
from spinexplain.jobs.study import (
    CreateRequest,
    add_answers,
    create_to_folder,
    rehearse_to_folder,
    score_to_folder,
)


@pytest.fixture(scope="module")
def small(finished_run, other_cohort, tmp_path_factory):
    out = tmp_path_factory.mktemp("small") / "study"
    request = CreateRequest(
        str(finished_run[0]),
        other_cohort,
        out,
        split="all",
        most=3,
        arms=("prototypes", "cam=" + str(finished_run[0]) + ":gradcam"),
    )
    create_to_folder(request)
    return out


def test_from_rehearsal_to_figures(small, tmp_path):
    count = rehearse_to_folder(small, tmp_path / "rehearsal")
    lines, _ = score_to_folder(tmp_path / "rehearsal")
    assert count > 0
    assert lines[0].startswith("Simulated readers")
    assert (tmp_path / "rehearsal" / "score" / "score.html").is_file()
    score_to_folder(tmp_path / "rehearsal")  # again, in place
    assert not (small / "answers").exists()


def test_all_files_or_none_are_added(small, tmp_path):
    from spinexplain.study.record import read_study
    from spinexplain.study.sheet import write_sheet

    folder = tmp_path / "study"
    shutil.copytree(small, folder)
    good = write_sheet(tmp_path / "good.csv", read_study(folder), 1)
    text = good.read_text("utf-8-sig").replace(";1;;;", ";1;yes;no;", 1)
    good.write_text(text, "utf-8-sig")
    bad = tmp_path / "bad.csv"
    bad.write_text(text.replace(";yes;", ";perhaps;"))
    with pytest.raises(ConfigError, match="perhaps"):
        add_answers(folder, (good, bad))
    assert not (folder / "answers").exists()
    lines, done = add_answers(folder, (good,))
    assert "2 answers of reader 1" in lines[0]
    assert [one.finished for one in done] == [0, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"design": "parallel"}, "--design is 'parallel'"),
        ({"grades": ("G7",)}, "--grades holds 'G7'"),
        ({"arms": ("prototypes", "prototypes")}, "two arms have one name"),
    ],
)
def test_wrong_requests_leave_nothing(finished_run, other_cohort, tmp_path, change, message):
    request = CreateRequest(
        str(finished_run[0]), other_cohort, tmp_path / "s", split="all", **change
    )
    with pytest.raises(ConfigError, match=message):
        create_to_folder(request)
    assert list(tmp_path.iterdir()) == []


def test_unknown_kinds_of_readers(small, tmp_path):
    with pytest.raises(ConfigError, match="careful, yes, no"):
        rehearse_to_folder(small, tmp_path / "r", kinds=("lazy",))

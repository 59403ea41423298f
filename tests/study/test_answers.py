import pytest

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.study.answers import (
    Answer,
    AnswerFile,
    check_answers,
    latest,
    progress_of,
    read_answer_file,
    read_answers,
    store_answers,
)
from spinexplain.study.panel import Panel, simulate
from study.conftest import opened


def _file(
    study, item, value="yes", at="2026-01-01T00:00:00Z", question="relevance", piece=1, reader=1
):
    answer = Answer(item=item, piece=piece, question=question, value=value, at=at)
    return AnswerFile(study=study.id, reader=reader, source="app", answers=(answer,))


def test_files_are_kept_side_by_side_and_the_last_word_counts(written):
    folder = written(cases=3, foils=0, repeats=0)
    study, _ = opened(folder)
    item = study.items[0].id
    early, late = _file(study, item, "yes"), _file(study, item, "no", "2026-01-02T00:00:00Z")
    assert store_answers(folder, late) is not None
    assert store_answers(folder, early) is not None
    assert store_answers(folder, early) is None
    files = read_answers(folder, study)
    assert len(files) == 2
    assert latest(files, 1)[(item, 1, "relevance")].value == "no"
    assert [done.finished for done in progress_of(study, files)] == [0, 0]


def test_progress_counts_pages_with_all_required_answers(written):
    study, key = opened(written(cases=3, foils=0, repeats=0))
    files = simulate(study, key, Panel(), 0)
    half = files[0].model_copy(update={"answers": files[0].answers[:9]})
    assert [d.finished for d in progress_of(study, [half, files[1]])] == [1, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": "maybe"}, "expected yes or no"),
        ({"question": "nice"}, "no such question"),
        ({"piece": 9}, "no such question"),
        ({"reader": 7}, "readers 1 to 2"),
    ],
)
def test_what_was_not_asked_is_refused(written, change, message):
    study, _ = opened(written(cases=3, foils=0, repeats=0))
    with pytest.raises(ConfigError, match=message):
        check_answers(_file(study, study.items[0].id, **change), study, "a.json")


def test_answers_of_another_study_and_broken_files(written, tmp_path):
    study, _ = opened(written(cases=3, foils=0, repeats=0))
    other, _ = opened(written(cases=4, foils=0, repeats=0))
    path = tmp_path / "a.json"
    path.write_text(_file(other, study.items[0].id).model_dump_json(by_alias=True))
    with pytest.raises(ConfigError, match=f"are of study {other.id}; this one is {study.id}"):
        read_answer_file(path, study)
    path.write_text('{"schema": 1}')
    with pytest.raises(FileFormatError, match="nothing was stored"):
        read_answer_file(path, study)
    with pytest.raises(FileFormatError, match="no such file"):
        read_answer_file(tmp_path / "none.json", study)

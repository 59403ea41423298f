import pytest

from spinexplain.errors import SpinexplainError
from spinexplain.jobs.crossval import CrossvalRequest, crossval_to_folder, in_words


def test_trainings_are_stages_and_what_is_finished_can_be_judged_again(
    toy_cohort, tiny_preset, tmp_path, listener
):
    cohort, out = toy_cohort().path, tmp_path / "out"
    presets = (f"{tiny_preset}:head.kind=linear,as=linear",)
    results = crossval_to_folder(CrossvalRequest(presets, cohort, out, folds=2), listener)
    assert listener.stages == ["linear, fold 1 of 2", "linear, fold 2 of 2"]
    assert (out / "summary.md").read_text("utf-8") == in_words(results)
    again = crossval_to_folder(CrossvalRequest((), tmp_path, out, so_far=True))
    assert again["entries"][0]["mean"] == results["entries"][0]["mean"]


def test_a_folder_without_an_experiment_has_nothing_to_judge(tmp_path):
    with pytest.raises(SpinexplainError):
        crossval_to_folder(CrossvalRequest((), tmp_path, tmp_path / "none", so_far=True))

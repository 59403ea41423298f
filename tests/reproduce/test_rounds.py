import pytest

from spinexplain.reproduce.cohorts import graded_sheets
from spinexplain.reproduce.methods import settings_of
from spinexplain.reproduce.rounds import curve, trained_in_rounds
from spinexplain.reproduce.setting import Setting
from spinexplain.train.grading import protoverse
from spinexplain.train.grading.objectives import classification_objective


@pytest.fixture(scope="module")
def sheets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rounds")
    setting = Setting(folder, folder / "work", folder / "results", folder)
    return graded_sheets(setting, "balanced", 2, 60, settings_of("baseline", 1e-3, 3, 0))


def of_two_steps(method, rounds=3):
    config = settings_of(method, 1e-3, rounds, 0)
    phases = {
        name: getattr(config, name).model_copy(update={"batch": 8, "steps": 2})
        for name in ("classifier", "warm", "joint")
        if getattr(config, name).steps
    }
    return config.model_copy(update=phases)


@pytest.mark.parametrize("method", ["baseline", "protoverse"])
def test_every_round_is_validated_and_the_best_one_is_kept(method, sheets, tmp_path):
    found = trained_in_rounds(of_two_steps(method), sheets, tmp_path)
    scores = curve(tmp_path)
    assert len(scores) == 3
    assert found.figures["f1"] == max(scores)
    again = trained_in_rounds(of_two_steps(method), sheets, tmp_path)
    assert again.figures == found.figures


def test_another_seed_validates_on_other_persons(sheets, tmp_path):
    learned = [
        set(
            trained_in_rounds(
                of_two_steps("baseline", 1).model_copy(update={"seed": seed}),
                sheets,
                tmp_path / str(seed),
            ).data.subjects
        )
        for seed in (0, 1)
    ]
    assert learned[0] != learned[1]


def test_rounds_descend_by_the_objective_of_a_usual_training(sheets, tmp_path, monkeypatch):
    asked = []

    def objective(*arguments):
        asked.append(arguments[2:])
        return classification_objective(*arguments)

    monkeypatch.setattr(protoverse, "classification_objective", objective)
    config = of_two_steps("baseline", 1)
    loss = config.loss.model_copy(update={"normalize": "samples", "lambda_height": 0.5})
    trained_in_rounds(config.model_copy(update={"loss": loss}), sheets, tmp_path)
    precision = config.classifier.precision
    assert asked == [(0.5, precision, loss.grading, "samples", None)]

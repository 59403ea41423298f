import numpy as np
import pytest

from spinexplain.study.answers import check_answers
from spinexplain.study.panel import Panel, simulate
from study.conftest import opened


def test_simulated_answers_fit_the_study(written):
    study, key = opened(written(unaided=True, cases=4, foils=2, repeats=1))
    for found in simulate(study, key, Panel(), 0):
        check_answers(found, study, "simulated")
        assert found.source == "simulated"


@pytest.mark.parametrize(("kind", "share"), [("yes", 1.0), ("no", 0.0)])
def test_readers_who_say_one_thing(written, kind, share):
    study, key = opened(written(cases=4))
    (found, _) = simulate(study, key, Panel(kinds=(kind,)), 0)
    said = [a.value == "yes" for a in found.answers if a.question == "relevance"]
    assert np.mean(said) == share


def test_same_seed_same_answers(written):
    study, key = opened(written(cases=4))
    assert simulate(study, key, Panel(), 3) == simulate(study, key, Panel(), 3)
    assert simulate(study, key, Panel(), 3) != simulate(study, key, Panel(), 4)

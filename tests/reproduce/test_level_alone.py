import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from spinexplain.config.tasks import TASKS
from spinexplain.reproduce.level_alone import FREQUENT, LEVEL, blind_figures

TASK = TASKS["g0-g2-g3"]


def an_index(seed: int = 0) -> pd.DataFrame:
    """Draw vertebrae whose grade leans on the level."""
    rng = np.random.default_rng(seed)
    levels = rng.choice(["T8", "T12", "L1", "L4"], 900)
    lean = {"T8": (8, 1, 1), "T12": (3, 4, 3), "L1": (3, 2, 5), "L4": (9, 1, 0.5)}
    grades = [rng.choice(["G0", "G2", "G3"], p=np.array(lean[v]) / sum(lean[v])) for v in levels]
    split = rng.choice(["training", "validation", "test"], 900, p=[0.6, 0.1, 0.3])
    return pd.DataFrame({"level": levels, "grade": grades, "split": split})


def test_the_level_alone_does_what_a_weighted_classifier_of_levels_does():
    index = an_index()
    learned, test = (index[(index["split"] == "test") == held] for held in (False, True))
    model = LogisticRegression(class_weight="balanced", C=1e6, max_iter=5000)
    model.fit(pd.get_dummies(learned["level"]), learned["grade"])
    called = model.predict(pd.get_dummies(test["level"]))
    found = blind_figures(index, TASK)
    assert found[LEVEL] == pytest.approx(f1_score(test["grade"], called, average="macro"))
    assert found[LEVEL] > found[FREQUENT]


def test_grades_of_no_class_and_healthy_twins_are_left_out():
    index = an_index()
    mild = pd.DataFrame({"level": "L1", "grade": "G1", "split": ["training", "test"]})
    twins = pd.DataFrame({"level": "L1", "grade": "G0", "split": ["training"] * 500})
    index["healthy_twin"], mild["healthy_twin"], twins["healthy_twin"] = False, False, True
    everything = pd.concat([index, mild, twins], ignore_index=True)
    assert blind_figures(everything, TASK) == blind_figures(index, TASK)


def test_a_level_that_nobody_learned_is_called_the_most_frequent():
    index = an_index()
    index.loc[index["split"] == "test", "level"] = "T3"
    found = blind_figures(index, TASK)
    assert found[LEVEL] == found[FREQUENT]
    assert blind_figures(index[index["split"] != "test"], TASK) == {}

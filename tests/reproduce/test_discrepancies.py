import numpy as np

from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.reproduce import discrepancies
from spinexplain.reproduce.discrepancies import FINISHED, SEEDS, TRAINED, stated, subset
from spinexplain.reproduce.heads.record import Record
from spinexplain.reproduce.heads.training import configured


def set_of(grades):
    n = len(grades)
    names = np.array([f"s{k // 2}" for k in range(n)])
    hu = np.zeros((n, 4, 4), np.int16)
    return TrainingSet(hu, np.array(grades), names, names, names, np.zeros((n, 2)))


def test_class_sizes_are_the_first_rows_and_no_person_is_in_both():
    config = configured({}, 0)
    data = set_of([0, 2, 3, 0, 2, 3, 0, 2, 3, 0])
    training, rest = subset(data, config, (2, 1, 1))
    assert training.grades.tolist() == [0, 2, 3, 0]
    assert not set(training.subjects) & set(rest.subjects)
    assert rest.grades.tolist() == [2, 3, 0, 2, 3, 0]


def test_every_difference_is_one_of_the_settings():
    for changes in (TRAINED | FINISHED).values():
        assert configured(changes, 0) != configured({}, 0)


def test_a_complete_record_is_not_measured_again(tmp_path, monkeypatch):
    record = Record(tmp_path / "runs.json")
    names = ("corrected", "no-last-layer", *FINISHED, *TRAINED, "moved-statistics", "no-gaussian")
    for name in names:
        for seed in SEEDS:
            record.keep(name, seed, {})
    monkeypatch.setattr(discrepancies, "trained_trunk", None)
    sets = (set_of([0]), {})
    discrepancies.run_all_differences(record, sets, set_of([0]), configured({}, 0), tmp_path)
    assert set(stated(record, configured({}, 0))["runs"]) == set(names)

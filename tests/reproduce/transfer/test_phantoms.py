from spinexplain.data.phantom.presets import load_preset
from spinexplain.reproduce.transfer.phantoms import (
    FAMILIAR,
    LOOK_ALIKES,
    changed,
    plan,
    planned_grades,
    population,
    prepared_phantom,
)


def test_a_population_has_as_many_of_both_sorts(tmp_path):
    tasks = population(tmp_path, "verse-like", 5000, 4, 2)
    preset = load_preset("verse-like")
    broken = [bool(planned_grades(preset, 5000, task.index)) for task in tasks]
    assert (broken.count(False), broken.count(True)) == (4, 2)
    assert [task.index for task in tasks] == sorted({task.index for task in tasks})


def test_every_scan_of_a_plan_has_a_file_of_its_own(tmp_path):
    groups = plan(tmp_path, share=0.1)
    assert set(LOOK_ALIKES) < set(groups)
    paths = [task.path for group in groups.values() for task in group]
    assert len(set(paths)) == len(paths)
    same = [(task.seed, task.index) for task in groups["shifted-scanner"]]
    assert [(task.seed, task.index) for task in groups[FAMILIAR]] == same


def test_fields_of_a_preset_change_alone():
    base = load_preset("verse-like")
    other = changed(base, {"geometry": {"dish": 1.0}})
    assert other.geometry.dish == 1.0
    assert other.scanner == base.scanner


def test_a_phantom_is_prepared_with_its_truth(lumbar_scan):
    scan, ready = prepared_phantom(lumbar_scan)
    assert scan["normal"] is False
    grades = {fact.level: fact.grade for fact in lumbar_scan.truth}
    assert {one.facts["level"]: one.facts["truth"]["grade"] for one in ready} == {
        level: grades[level] for level in (one.facts["level"] for one in ready)
    }

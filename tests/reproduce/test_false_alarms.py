import numpy as np
import pytest

from spinexplain.data.phantom.sheets import phantom_sheets
from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce import false_alarms
from spinexplain.reproduce.false_alarms import (
    GROUPS,
    _telling,
    by_look_alike,
    groups_of,
    inputs_of,
    patch_of,
    prototypes_by_group,
)


@pytest.fixture(scope="module")
def grader():
    return load_grader("protoverse-phantom", runtime="torch")


@pytest.fixture(scope="module")
def sheets():
    return list(phantom_sheets("hard", 6499, 6))


def test_sheets_are_seen_as_a_network_sees_them(grader, sheets):
    patch = patch_of(sheets[0])
    assert patch.array.shape == (112, 112)
    np.testing.assert_array_equal(patch.array, sheets[0].hu[16:128, 16:128])
    (batch,) = inputs_of(grader, sheets)
    assert batch.shape == (6, 3, 112, 112)


def test_groups_leave_mild_fractures_out(grader):
    logits = np.array([[2.0, 0, 0], [0, 2.0, 0], [0, 2.0, 0], [2.0, 0, 0], [0, 0, 2.0]])
    found = groups_of(grader, logits, [0, 0, 1, 2, 3])
    assert found.tolist() == ["right_healthy", "false_alarm", "", "missed", "found"]


def test_look_alikes_and_prototypes_count_every_vertebra_once(grader, sheets):
    logits = np.eye(3)[[0, 1, 2, 0, 1, 2]]
    group = groups_of(grader, logits, [sheet.grade for sheet in sheets])
    rows = by_look_alike(sheets, group)
    several = sum(max(len(s.truth.look_alikes), 1) for s, g in zip(sheets, group, strict=True) if g)
    assert sum(sum(row.values()) for row in rows.values()) == several
    loudest = prototypes_by_group(grader, sheets, group, logits)["loudest"]
    for name in GROUPS:
        assert sum(row[name] for row in loudest.values()) == int((group == name).sum())
    owner = {name: name[:2] for name in loudest}
    called = {grader.classes[k] for k in logits.argmax(axis=1)}
    assert {owner[name] for name, row in loudest.items() if sum(row.values())} <= called


def test_a_unit_of_false_alarms_is_found_and_noise_is_not():
    rng = np.random.default_rng(0)
    group = np.array(
        ["false_alarm"] * 30 + ["right_healthy"] * 200 + ["found"] * 20 + ["missed"] * 5
    )
    enabled = rng.random((len(group), 40)) < 0.3
    enabled[:30, 7] = True
    found = _telling(enabled, group, "false_alarm", "right_healthy")
    assert found["units"][0]["unit"] == 7
    assert found["tied"] <= 3
    assert found["units"][0]["false_alarm"] == 1.0


def test_without_any_mistake_nothing_is_tied():
    group = np.array(["right_healthy"] * 5)
    assert _telling(np.ones((5, 3), bool), group, "false_alarm", "right_healthy")["tied"] == 0


def test_seeds_are_those_of_no_other_study():
    from spinexplain.reproduce import mask_errors, verdict

    others = {seed for seed, _ in [*mask_errors.PERSONS.values(), *verdict.SCANS.values()]}
    assert not others & {false_alarms.JUDGED[1], false_alarms.RANKED[1]}

import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import LabelError


def test_labels_are_those_of_verse():
    labels = {level.value: level.verse_label for level in VertebraLevel}
    assert labels["C1"] == 1
    assert labels["C7"] == 7
    assert labels["T1"] == 8
    assert labels["T12"] == 19
    assert labels["T13"] == 28
    assert labels["L1"] == 20
    assert labels["L6"] == 25
    assert len(set(labels.values())) == 26


@pytest.mark.parametrize("level", VertebraLevel)
def test_label_and_level_are_inverse(level):
    assert VertebraLevel.from_verse_label(level.verse_label) is level


@pytest.mark.parametrize("label", [0, 26, 27, 29, -1, 300])
def test_what_is_no_vertebra_is_refused_by_number(label):
    with pytest.raises(LabelError, match=f"label {label} "):
        VertebraLevel.from_verse_label(label)


def test_order_runs_from_cranial_to_caudal_with_t13_between_t12_and_l1():
    levels = list(VertebraLevel)
    assert [level.order for level in levels] == list(range(26))
    t12, t13, l1 = (VertebraLevel(name) for name in ("T12", "T13", "L1"))
    assert t12.is_cranial_to(t13)
    assert t13.is_cranial_to(l1)
    assert not l1.is_cranial_to(t13)
    assert not l1.is_cranial_to(l1)


def test_only_thoracic_and_lumbar_levels_are_graded():
    graded = [level.value for level in VertebraLevel if level.is_graded]
    assert len(graded) == 19
    assert all(name[0] in "TL" for name in graded)

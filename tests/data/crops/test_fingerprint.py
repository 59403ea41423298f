from dataclasses import replace

import numpy as np

from spinexplain.data.crops.fingerprint import fingerprint


def test_order_and_masks_do_not_count(toy_set):
    data = toy_set(6)
    assert fingerprint(data.take(np.arange(6)[::-1])) == fingerprint(data)
    assert fingerprint(replace(data, target=None)) == fingerprint(data)


def test_one_sample_one_grade_or_one_name_makes_another(toy_set):
    data = toy_set(6)
    pixels, grades, subjects = data.patches_hu.copy(), data.grades.copy(), data.subjects.copy()
    pixels[3, 0, 0] += 1
    grades[1] = 3 - grades[1]
    subjects[0] = "sub-9"
    changed = [
        replace(data, patches_hu=pixels),
        replace(data, grades=grades),
        replace(data, subjects=subjects),
        data.take(np.arange(5)),
    ]
    assert len({fingerprint(one) for one in [data, *changed]}) == 5

"""Sizes of levels: the norms run the right way and real masks fit them."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.io.label_stats import LabelStats, label_stats
from spinexplain.io.level_sizes import (
    against_sizes,
    misfit,
    step_ratio,
    usual_step_mm,
    usual_volume_mm3,
    volume_ratio,
)
from spinexplain.io.nifti import read_labels

DATA = Path(__file__).parents[1] / "data"
LEVELS = [level for level in VertebraLevel if level.value not in ("T13", "L6")]


def spine(levels, volume=1.0, step=1.0):
    stats, z = {}, 0.0
    for level, below in pairwise([*levels, None]):
        center = np.array([0.0, 0.0, z])
        stats[level] = LabelStats(volume * usual_volume_mm3(level), center, np.full(3, 40.0), False)
        z -= step * usual_step_mm(level, below) if below else 0.0
    return stats


def test_a_usual_spine_has_ratio_one_everywhere():
    stats = spine(LEVELS)
    assert volume_ratio(stats) == step_ratio(stats) == pytest.approx(1.0)
    assert against_sizes(stats) == ""
    assert misfit(stats) == pytest.approx(0.0)


@pytest.mark.parametrize(("volume", "step"), [(0.6, 0.85), (1.6, 1.2), (0.3, 1.0)])
def test_small_and_tall_people_and_bodies_alone_fit(volume, step):
    assert against_sizes(spine(LEVELS[14:], volume, step)) == ""


def test_lumbar_bones_are_no_cervical_levels():
    lumbar = list(spine(LEVELS[19:24]).values())
    renamed = dict(zip(LEVELS[:5], lumbar, strict=True))
    assert "times the usual volume of C3-C5" in against_sizes(renamed)


def test_distances_tell_where_sizes_do_not():
    assert "as far apart as T1-T4" in against_sizes(spine(LEVELS[7:11], step=1.7))


def test_a_cut_bone_counts_only_where_there_is_no_other():
    stats = spine(LEVELS[19:21])
    cut = LabelStats(100.0, np.zeros(3), np.full(3, 5.0), at_border=True)
    assert volume_ratio(stats | {VertebraLevel.T12: cut}) == pytest.approx(1.0)
    assert volume_ratio({VertebraLevel.T12: cut}) < 0.1


def test_steps_count_t13_and_l6_only_at_the_ends():
    t12, t13, l1 = VertebraLevel.T12, VertebraLevel.T13, VertebraLevel.L1
    assert usual_step_mm(t12, l1) == 28.0
    assert usual_step_mm(t12, t13) == 28.0
    assert usual_step_mm(t13, l1) > 20.0


@pytest.mark.parametrize(
    "name",
    [
        "verse004/sub-verse004_seg-vert_msk.nii.gz",
        "totalsegmentator-example/totalseg_vertebrae_pp_refined.nii.gz",
        "tptbox-sample-ct/sub-ct_seg-vert_label-22_msk.nii.gz",
    ],
)
def test_real_masks_fit_their_own_levels(name):
    stats = label_stats(read_labels(DATA / name))
    levels = {VertebraLevel.from_verse_label(label): one for label, one in stats.items()}
    assert against_sizes(levels) == ""
    assert 0.5 < volume_ratio(levels) < 1.6


def test_a_spine_counted_from_t1_grows_too_much():
    """T1 to L5 as 1 to 17 in a small person: as large as C1 to T10, but not in every place."""
    thoracolumbar = list(spine(LEVELS[7:24], volume=0.6, step=0.85).values())
    renamed = dict(zip(LEVELS[:17], thoracolumbar, strict=True))
    assert 0.8 < volume_ratio(renamed) < 1.3
    assert "times as much as C1-T10" in against_sizes(renamed)


def test_a_tall_person_s_thoracic_bones_are_no_neck():
    thoracic = list(spine(LEVELS[9:13]).values())
    assert "volume of C3-C6" in against_sizes(dict(zip(LEVELS[2:6], thoracic, strict=True)))

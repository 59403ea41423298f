"""The flags a reader sets are in the vocabulary that the report knows."""

from spinexplain.io.scan_flags import (
    COMPUTED_VALUES,
    ORIENTATION_UNKNOWN,
    RESCALE_ASSUMED,
    SFORM_QFORM_DIFFER,
    SLICES_ODD,
)
from spinexplain.spine.quality import FLAGS
from spinexplain.texts.catalogue import load_catalogue


def test_every_scan_flag_has_a_place_and_words():
    say = load_catalogue("en")
    for flag in (
        COMPUTED_VALUES,
        ORIENTATION_UNKNOWN,
        RESCALE_ASSUMED,
        SFORM_QFORM_DIFFER,
        SLICES_ODD,
    ):
        assert flag in FLAGS
        assert say.flag(flag) != flag

import numpy as np
import pytest

from spinexplain.dicom_out.result_context import KINDS, digest_of, in_source_order, lps
from spinexplain.dicom_out.write import context_of


def test_uids_follow_from_what_the_result_is_made_from(result):
    one, again, other = (context_of(r) for r in (result(), result(), result(labels=None)))
    assert one.uid("report") == again.uid("report")
    assert one.uid("report") != other.uid("report")
    assert one.uid("report") != one.uid("segmentation")
    assert one.uid("a", "bc") != one.uid("ab", "c")
    assert len({one.uid(kind) for kind in KINDS}) == len(KINDS)


def test_series_say_research_and_unverified(result):
    identifiers = context_of(result()).identifiers("report")
    assert identifiers["series_description"] == (
        "spinexplain structured report (research, unverified)"
    )
    assert all(len(context_of(result()).series_description(kind)) <= 64 for kind in KINDS)


def test_lps_is_its_own_inverse():
    assert lps(lps((1.0, -2.0, 3.5))).tolist() == [1.0, -2.0, 3.5]


def test_digests_tell_the_parts_apart():
    assert digest_of([b"ab", b"c"]) != digest_of([b"abc"])


@pytest.mark.parametrize("orientation", ["HFS", "oblique", "frames"])
def test_planes_go_where_their_instance_is(cases, orientation):
    """The oracle looks every plane up by its position in the header."""
    one = cases(orientation)
    array = np.arange(one.volume.array.size, dtype=np.int32).reshape(one.volume.array.shape)
    frames = in_source_order(array, one.references)
    for k, reference in enumerate(one.references.slices):
        number = k if reference.frame is None else reference.frame - 1
        np.testing.assert_array_equal(frames[number], array[:, :, k].T)
        header = one.references.headers[0 if reference.frame else k]
        owner = header
        if reference.frame:
            group = header.PerFrameFunctionalGroupsSequence[number]
            owner = group.PlanePositionSequence[0]
        corner = (one.volume.affine @ [0, 0, k, 1])[:3]
        np.testing.assert_allclose(lps(owner.ImagePositionPatient), corner, atol=1e-3)

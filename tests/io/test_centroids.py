import json
from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import FileFormatError, LabelError, OutputError
from spinexplain.geometry import apply_affine
from spinexplain.io.centroids import read_centroids, write_centroids
from spinexplain.io.nifti import read_labels, read_volume
from spinexplain.io.scan_flags import ScanWarning
from spinexplain.types import Vertebra, Volume

DATA = Path(__file__).parents[1] / "data"
SHAPE = (60, 80, 120)
RAS = Volume(
    np.zeros(SHAPE, np.int8),
    np.array(nib.affines.from_matvec(np.diag([1.5, 1, 2]), [-40, -60, 100])),
)
TRUE_IJK = {19: (30.2, 50.4, 90.6), 20: (31.0, 48.0, 75.0), 21: (29.5, 47.1, 58.3)}
TRUE_MM = {label: apply_affine(RAS.affine, np.array(ijk)) for label, ijk in TRUE_IJK.items()}


LEVELS = ["T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5"]


def rows(points):
    return [{"label": k, "X": x, "Y": y, "Z": z} for k, (x, y, z) in points.items()]


def put(path, document):
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "ctd.json"


def assert_true(vertebrae, atol=1e-6):
    assert [v.level.verse_label for v in vertebrae] == sorted(TRUE_MM)
    for vertebra in vertebrae:
        truth = TRUE_MM[vertebra.level.verse_label]
        np.testing.assert_allclose(vertebra.centroid_mm, truth, atol=atol)


class TestVerse:
    def test_indices_along_the_scans_own_axes(self, file):
        assert_true(
            read_centroids(put(file, [{"direction": ["R", "A", "S"]}, *rows(TRUE_IJK)]), RAS)
        )

    @pytest.mark.parametrize("flips", list(product([1, -1], repeat=3)))
    @pytest.mark.parametrize("order", list(permutations(range(3))))
    def test_every_other_direction_counts_from_the_other_end(self, file, order, flips):
        """By hand: axis a of the file is axis order[a] of the scan; a flip is size - 1 - c."""
        codes = ["LR", "PA", "IS"]
        direction = [
            codes[axis][1 if way > 0 else 0] for axis, way in zip(order, flips, strict=True)
        ]
        turned = {
            label: tuple(
                ijk[axis] if way > 0 else SHAPE[axis] - 1 - ijk[axis]
                for axis, way in zip(order, flips, strict=True)
            )
            for label, ijk in TRUE_IJK.items()
        }
        document = [{"direction": direction}, *rows(turned)]
        assert_true(read_centroids(put(file, document), RAS))

    def test_direction_may_come_last_and_inside_a_dict(self, file):
        document = {"vertebralCentroids": [*rows(TRUE_IJK), {"direction": ["R", "A", "S"]}]}
        assert_true(read_centroids(put(file, document), RAS))

    def test_sacrum_coccyx_and_nan_are_left_out(self, file):
        more = rows({26: (30, 50, 10), 27: (1e4, 0, 0), 22: (float("nan"), 1, 1)})
        text_nan = [{"label": 23, "X": "nan", "Y": 1, "Z": 1}]
        document = [{"direction": ["R", "A", "S"]}, *rows(TRUE_IJK), *more, *text_nan]
        with pytest.warns(ScanWarning, match="NaN") as told:
            assert_true(read_centroids(put(file, document), RAS))
        assert ["22" in str(told[0].message), "23" in str(told[1].message)] == [True, True]

    def test_order_is_cranio_caudal_with_t13_between(self, file):
        points = {20: (30, 50, 40), 28: (30, 50, 60), 19: (30, 50, 80)}
        document = [{"direction": ["R", "A", "S"]}, *rows(points)]
        vertebrae = read_centroids(put(file, document), RAS)
        assert [v.level.value for v in vertebrae] == ["T12", "T13", "L1"]

    def test_verse004_lies_in_its_mask(self):
        folder = DATA / "verse004"
        mask = read_labels(folder / "sub-verse004_seg-vert_msk.nii.gz")
        vertebrae = read_centroids(folder / "sub-verse004_seg-subreg_ctd.json", mask)
        assert [v.level.value for v in vertebrae] == LEVELS
        for vertebra in vertebrae:
            ijk = apply_affine(np.linalg.inv(mask.affine), np.array(vertebra.centroid_mm))
            assert mask.array[tuple(np.rint(ijk).astype(int))] == vertebra.level.verse_label

    def test_the_thoracic_scan_has_bone_at_its_centers(self):
        folder = DATA / "totalsegmentator-thoracic"
        scan = read_volume(folder / "thoracic_ct.nii.gz")  # stored L, P, S; the file says R, A, S
        vertebrae = read_centroids(folder / "thoracic_ctd.json", scan)
        assert [v.level.value for v in vertebrae] == [f"T{i}" for i in range(3, 13)]
        for vertebra in vertebrae:
            ijk = apply_affine(np.linalg.inv(scan.affine), np.array(vertebra.centroid_mm))
            low = np.rint(ijk).astype(int) - 2
            near = scan.array[tuple(slice(i, i + 5) for i in low)]
            assert near.mean() > 80


def one_mm(point_mm, from_right, from_front, from_top):
    """Count millimeters from the outer border of the scan's first voxel, as a 1 mm grid does."""
    low = apply_affine(RAS.affine, np.full(3, -0.5))
    high = apply_affine(RAS.affine, np.array(SHAPE) - 0.5)
    x = high[0] - point_mm[0] if from_right else point_mm[0] - low[0]
    y = high[1] - point_mm[1] if from_front else point_mm[1] - low[1]
    z = high[2] - point_mm[2] if from_top else point_mm[2] - low[2]
    return np.array([x, y, z]) - 0.5


class TestChallengeReleases:
    """2020 counts anterior to posterior, top to bottom, left to right; 2019 I, P, L."""

    @pytest.fixture
    def miccai2020(self):
        counted = {k: one_mm(p, False, True, True)[[1, 2, 0]] for k, p in TRUE_MM.items()}
        return rows({k: p.tolist() for k, p in counted.items()})

    @pytest.fixture
    def miccai2019(self):
        counted = {k: one_mm(p, True, True, True)[[2, 1, 0]] for k, p in TRUE_MM.items()}
        return rows({k: p.tolist() for k, p in counted.items()})

    def test_named_conventions(self, file, miccai2019, miccai2020):
        assert_true(read_centroids(put(file, miccai2020), RAS, convention="miccai2020"))
        assert_true(read_centroids(put(file, miccai2019), RAS, convention="miccai2019"))
        assert_true(read_centroids(put(file, rows(TRUE_IJK)), RAS, convention="voxel"))

    def test_found_where_only_one_is_possible(self, file, miccai2019, miccai2020):
        named = {"miccai2019": miccai2019, "miccai2020": miccai2020, "voxel": rows(TRUE_IJK)}
        for name, document in named.items():
            with pytest.warns(ScanWarning, match=f"no direction; read as {name}"):
                assert_true(read_centroids(put(file, document), RAS))

    def test_asked_for_where_several_are_possible(self, file):
        one = rows({20: (30, 31, 32)})
        with pytest.raises(LabelError, match=r"says no direction.*voxel, miccai2020, miccai2019"):
            read_centroids(put(file, one), RAS)

    def test_asked_for_where_none_is_possible(self, file):
        with pytest.raises(LabelError, match="those that fit the scan are: none"):
            read_centroids(put(file, rows({20: (30, 31, 3200)})), RAS)

    def test_an_unknown_name_is_refused(self, file):
        with pytest.raises(FileFormatError, match="'itk'; expected one of voxel, miccai2020"):
            read_centroids(put(file, rows(TRUE_IJK)), RAS, convention="itk")


class TestSpineSegment:
    def entry(self, label, point_mm):
        x, y, z = point_mm
        lps = [-x, -y, z]
        return {"label": label, "index": label - 1, "voxel_xyz": [1, 2, 3], "physical_xyz": lps}

    def test_physical_positions_are_lps(self, file):
        document = {str(k): self.entry(k, p.tolist()) for k, p in TRUE_MM.items()}
        assert_true(read_centroids(put(file, document), RAS))

    def test_its_label_28_is_the_sacrum(self, file):
        document = {str(k): self.entry(k, p.tolist()) for k, p in TRUE_MM.items()}
        document["28"] = self.entry(28, [0.0, 0.0, 0.0])
        assert_true(read_centroids(put(file, document), RAS))

    @pytest.mark.parametrize("xyz", [[1, 2], "1 2 3", None, [1, 2, "x"]])
    def test_a_broken_position_is_one_clear_error(self, file, xyz):
        document = {"20": self.entry(20, [0, 0, 0]) | {"physical_xyz": xyz}}
        with pytest.raises(FileFormatError, match="20"):
            read_centroids(put(file, document), RAS)


HEAD = {"direction": ["R", "A", "S"]}


@pytest.mark.parametrize(
    ("document", "kind", "message"),
    [
        ("[{", FileFormatError, "is no JSON"),
        ("", FileFormatError, "is no JSON"),
        ("[" * 100_000, FileFormatError, "is no JSON"),
        ("7", FileFormatError, "holds a int"),
        ("{}", LabelError, "names no vertebra"),
        ([], LabelError, "names no vertebra"),
        ([HEAD], LabelError, "names no vertebra"),
        ({"20": 5}, FileFormatError, "holds the key '20'"),
        ({"centroids": []}, FileFormatError, "holds the key 'centroids'"),
        ([HEAD, {"label": 20, "x": 1, "y": 2, "z": 3}], FileFormatError, "holds the entry"),
        ([HEAD, 5], FileFormatError, "holds the entry 5"),
        ([HEAD, *rows({20: ("a", 1, 1)})], FileFormatError, "label 20 is 'a'"),
        ([HEAD, *rows({20: (True, 1, 1)})], FileFormatError, "label 20 is True"),
        (
            [HEAD, *rows({20: (float("inf"), 1, 1)})],
            FileFormatError,
            "is inf; expected a number from",
        ),
        ([HEAD, *rows({20: (10**400, 1, 1)})], FileFormatError, "label 20 is 1000"),
        ([HEAD, {"label": "L1", "X": 1, "Y": 1, "Z": 1}], FileFormatError, "label is 'L1'"),
        ([HEAD, {"label": 20.5, "X": 1, "Y": 1, "Z": 1}], FileFormatError, "label is 20.5"),
        ([HEAD, *rows({99: (1, 1, 1)})], LabelError, "label 99 is no vertebra"),
        (rows({99: (1, 1, 1)}), LabelError, "label 99 is no vertebra"),
        ([HEAD, *rows({0: (1, 1, 1)})], LabelError, "label 0 is no vertebra"),
        ([HEAD, *rows({20: (1, 1, 1)}), *rows({20: (2, 2, 2)})], LabelError, "20 comes twice"),
        ([HEAD, *rows({20: (60.0, 1, 1)})], LabelError, "L1 at .* voxel .*60.0.* outside"),
        ([HEAD, *rows({20: (-1, 1, 1), 21: (1, -9, 1)})], LabelError, "L1 at .*and 1 more"),
        ([HEAD, *rows({20: (float("nan"),) * 3})], LabelError, "names no vertebra"),
        ([{"direction": "RAS"}, *rows(TRUE_IJK)], FileFormatError, "direction is 'RAS'"),
        ([{"direction": ["R", "L", "S"]}], FileFormatError, "direction is"),
        ([{"direction": [[], 1, "S"]}], FileFormatError, "direction is"),
        ([{"direction": ["RL", "A", "S"]}], FileFormatError, "direction is"),
    ],
)
def test_a_bad_file_is_one_clear_error(file, document, kind, message):
    with pytest.raises(kind, match=message) as caught:
        read_centroids(put(file, document), RAS)
    assert "ctd.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_binary_and_folder(tmp_path):
    with pytest.raises(FileFormatError, match="no such file"):
        read_centroids(tmp_path / "none.json", RAS)
    with pytest.raises(FileFormatError, match="is a folder"):
        read_centroids(tmp_path, RAS)
    (tmp_path / "ct.nii.gz").write_bytes(bytes(range(256)))
    with pytest.raises(FileFormatError, match="is no JSON"):
        read_centroids(tmp_path / "ct.nii.gz", RAS)


def test_written_centers_are_read_back_within_a_hundredth_voxel(file):
    mask = read_labels(DATA / "verse004" / "sub-verse004_seg-vert_msk.nii.gz")
    vertebrae = read_centroids(DATA / "verse004" / "sub-verse004_seg-subreg_ctd.json", mask)
    write_centroids(file, vertebrae[::-1], mask)
    again = read_centroids(file, mask)
    assert [v.level for v in again] == [v.level for v in vertebrae]
    for one, other in zip(again, vertebrae, strict=True):
        np.testing.assert_allclose(one.centroid_mm, other.centroid_mm, atol=0.02)
    assert json.loads(file.read_text())[0] == {"direction": ["P", "I", "R"]}
    with pytest.raises(OutputError, match="cannot be written"):
        write_centroids(
            file.parent / "none" / "a.json", [Vertebra(VertebraLevel.L1, (0, 0, 0))], mask
        )

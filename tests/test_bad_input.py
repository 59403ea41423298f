"""Broken inputs by the thousand: every reader answers with a result or with one clear error.

Real files are damaged byte by byte and structure by structure. The plain run takes a few
hundred cases, ``--fuzz`` (``make fuzz``) ten times as many. A failure names its case; the
same name gives the same bytes.
"""

import gzip
import hashlib
import json
import shutil
import traceback
import warnings
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.config.tasks import TASKS
from spinexplain.config.training import read_config
from spinexplain.data.table import read_fracture_table
from spinexplain.errors import SpinexplainError
from spinexplain.io.centroids import read_centroids
from spinexplain.io.dicom import list_series, read_dicom
from spinexplain.io.nifti import read_labels, read_volume, write_nifti
from spinexplain.io.read import read_body, read_mask, read_scan, scan_sha256
from spinexplain.spine.localizer_config import read_localizers
from spinexplain.types import LabelMap, Volume

DATA = Path(__file__).parent / "data"
CROP = DATA / "tptbox-sample-ct"
CENTROIDS = DATA / "verse004" / "sub-verse004_seg-subreg_ctd.json"
TABLE = DATA / "verse19-table" / "ryai190138_appendixe1.xlsx"

CASES = 40
FUZZ_CASES = 400


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Damage bytes in one to three of the ways files get damaged, or get forged."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        kind = rng.integers(8)
        # Headers come first and matter most: half of the hits go to the first 600 bytes.
        size = max(len(data), 1)
        at = int(rng.integers(min(size, 600) if rng.random() < 0.5 else size))
        span = int(rng.integers(1, 64))
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            data[at : at + span] = rng.bytes(span)
        elif kind == 2:
            data[at:at] = rng.bytes(span)
        elif kind == 3:
            del data[at : at + span]
        elif kind == 4:
            data[at : at + 4] = [b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\xc0\x7f"][
                rng.integers(4)
            ]
        elif kind == 5:
            data[at : at + span] = bytes(len(data[at : at + span]))
        elif kind == 6:
            data[at:at] = data[: at + span]
        elif data:
            data[at % len(data)] ^= 1 << int(rng.integers(8))
    return bytes(data)


@dataclass
class Failures:
    """Calls that ended in anything but a result or one clear error."""

    found: list[str] = field(default_factory=list)
    refused: int = 0
    accepted: int = 0

    def check(self, name: str, path: Path, read: Callable[[Path], object]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                result = read(path)
            except SpinexplainError as error:
                self.refused += 1
                self._check_message(name, path, str(error))
            except Exception:
                self.found.append(f"{name}: {traceback.format_exc(limit=-3)}")
            else:
                self.accepted += 1
                self._check_result(name, result)

    def _check_message(self, name: str, path: Path, message: str) -> None:
        if not 20 < len(message) < 2000 or "Traceback" in message:
            self.found.append(f"{name}: message {message!r}")
        if path.name not in message:
            self.found.append(f"{name}: message does not name the file: {message!r}")

    def _check_result(self, name: str, result: object) -> None:
        if isinstance(result, Volume) and not np.all(np.isfinite(result.array)):
            self.found.append(f"{name}: a volume that is not finite")
        if isinstance(result, LabelMap) and result.array.dtype.kind not in "iu":
            self.found.append(f"{name}: labels of {result.array.dtype}")

    def report(self) -> None:
        assert not self.found, f"{len(self.found)} bad endings\n\n" + "\n".join(self.found[:5])
        assert self.refused, "no case was refused: nothing is being damaged"


@pytest.fixture(scope="session")
def cases(request) -> int:
    return FUZZ_CASES if request.config.getoption("--fuzz") else CASES


@pytest.fixture(scope="module")
def seeds(tmp_path_factory) -> Path:
    """Small real files to damage."""
    folder = tmp_path_factory.mktemp("seeds")
    box = np.s_[24:44, 12:32, 24:44]
    ct = read_volume(CROP / "sub-ct_label-22_ct.nii.gz")
    write_nifti(folder / "ct.nii", ct.array[box], ct.affine)
    for part, name in (("vert", "mask"), ("subreg", "body")):
        labels = read_labels(CROP / f"sub-ct_seg-{part}_label-22_msk.nii.gz")
        write_nifti(folder / f"{name}.nii", labels.array[box], labels.affine)
    for name in ("ct", "mask", "body"):
        packed = gzip.compress((folder / f"{name}.nii").read_bytes(), 6, mtime=0)
        (folder / f"{name}.nii.gz").write_bytes(packed)
    _write_slices(folder / "series")
    with zipfile.ZipFile(folder / "series.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((folder / "series").iterdir()):
            archive.write(path, f"export/{path.name}")
    return folder


def _write_slices(folder: Path) -> None:
    """Crop the real DICOM slices to 48 x 48 pixels, one of them compressed."""
    import pydicom

    folder.mkdir()
    for name in ("01", "02", "03"):
        dataset = pydicom.dcmread(DATA / "dcmqi-ct-3slice" / f"{name}.dcm")
        pixels = dataset.pixel_array[200:248, 200:248]
        dataset.Rows, dataset.Columns = pixels.shape
        dataset.PixelData = pixels.tobytes()
        if name == "03":
            dataset.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
        dataset.save_as(folder / name)


def rng_of(name: str, case: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(name.encode()), case])


READERS = {
    "read_volume": (read_volume, ["ct.nii", "ct.nii.gz"]),
    "read_scan": (read_scan, ["ct.nii", "ct.nii.gz", "series.zip"]),
    "read_labels": (read_labels, ["mask.nii", "mask.nii.gz"]),
    "read_mask": (read_mask, ["mask.nii", "mask.nii.gz"]),
    "read_body": (read_body, ["body.nii", "body.nii.gz"]),
    "read_dicom": (read_dicom, ["series.zip"]),
    "list_series": (list_series, ["series.zip"]),
    "scan_sha256": (scan_sha256, ["ct.nii", "series.zip"]),
}


@pytest.mark.parametrize("reader", READERS)
def test_damaged_files(reader, seeds, tmp_path, cases):
    read, names = READERS[reader]
    failures = Failures()
    for case in range(cases):
        name = names[case % len(names)]
        label = f"{reader} {name} {case}"
        path = tmp_path / name
        path.write_bytes(damaged((seeds / name).read_bytes(), rng_of(label, case)))
        failures.check(label, path, read)
    if reader != "scan_sha256":  # it hashes bytes without looking into NIfTI
        failures.report()
    assert not failures.found


def test_damage_inside_the_compression(seeds, tmp_path, cases):
    """The gzip is sound, what it holds is not."""
    failures = Failures()
    for case in range(cases):
        content = damaged((seeds / "ct.nii").read_bytes(), rng_of("inside", case))
        path = tmp_path / "ct.nii.gz"
        path.write_bytes(gzip.compress(content, 1))
        failures.check(f"inside {case}", path, read_scan)
    failures.report()


@pytest.mark.parametrize("victim", ["01", "03"])
def test_one_damaged_slice_of_a_series(victim, seeds, tmp_path, cases):
    """02 has 01 and 03 for neighbors; 03 is compressed."""
    folder = tmp_path / "series"
    shutil.copytree(seeds / "series", folder)
    whole = (folder / victim).read_bytes()
    start = len(whole) - 5000 if victim == "01" else whole.index(b"\xe0\x7f\x10\x00") - 1000
    failures = Failures()
    for case in range(2 * cases):
        rng = rng_of(f"slice {victim}", case)
        head, tail = whole[:start], whole[start:]
        broken = damaged(whole, rng) if case % 2 else head + damaged(tail, rng)
        (folder / victim).write_bytes(broken)
        failures.check(f"slice {victim} {case}", folder, read_dicom)
    failures.report()


def test_members_of_a_zip(seeds, tmp_path, cases):
    """Sound zips of damaged slices, under damaged names."""
    failures = Failures()
    for case in range(cases):
        rng = rng_of("member", case)
        path = tmp_path / "series.zip"
        with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for file in sorted((seeds / "series").iterdir()):
                content = file.read_bytes()
                hit = rng.random() < 0.5
                name = damaged(file.name.encode(), rng).decode("latin-1") if hit else file.name
                name = name.strip("\0") or "empty"
                archive.writestr(name, damaged(content, rng) if not hit else content)
        failures.check(f"member {case}", path, read_scan)
    failures.report()


def test_damaged_centroids(tmp_path, cases):
    reference = read_labels(DATA / "verse004" / "sub-verse004_seg-vert_msk.nii.gz")
    failures = Failures()
    for case in range(5 * cases):
        path = tmp_path / "x_ctd.json"
        path.write_bytes(damaged(CENTROIDS.read_bytes(), rng_of("centroids", case)))
        failures.check(f"centroids {case}", path, lambda p: read_centroids(p, reference))
    failures.report()


def table_csv() -> bytes:
    import openpyxl

    sheet = openpyxl.load_workbook(TABLE, read_only=True)["VerSe_dataset"]
    rows = sheet.iter_rows(max_row=12, max_col=48, values_only=True)
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    return "\n".join(lines).encode()


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_damaged_tables(suffix, tmp_path, cases):
    whole = table_csv() if suffix == "csv" else TABLE.read_bytes()
    failures = Failures()
    for case in range(cases if suffix == "csv" else cases // 4):
        path = tmp_path / f"table.{suffix}"
        path.write_bytes(damaged(whole, rng_of(suffix, case)))
        failures.check(f"{suffix} {case}", path, read_fracture_table)
    failures.report()


LOCALIZERS = b"""
[localizers.ours]
command = ["segment", "--in", "{ct}", "--to", "{out}/seg.nii.gz"]
output = "seg.nii.gz"
scheme = "totalsegmentator"
version = "3"
"""
TRAINING = b"""
name = "mine"
classes = ["G0", "G2", "G3"]
seed = 3
[input]
extent_mm = 96.0
channels = ["ct", "gaussian"]
[input.windows_hu]
ct = [-300, 1000]
[loss]
lambda_sep = -0.08
[joint]
steps = 40
decay = "step"
"""


@pytest.mark.parametrize(
    ("name", "whole", "read"),
    [("localizers.toml", LOCALIZERS, read_localizers), ("training.toml", TRAINING, read_config)],
)
def test_damaged_settings(name, whole, read, tmp_path, cases):
    read(_written(tmp_path / name, whole))
    failures = Failures()
    for case in range(3 * cases):
        path = _written(tmp_path / name, damaged(whole, rng_of(name, case)))
        failures.check(f"{name} {case}", path, read)
    failures.report()


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


NUMBERS = st.one_of(
    st.integers(-(2**15), 2**15 - 1), st.sampled_from([0, 1, -1, 2**15 - 1, -(2**15)])
)
FLOATS = st.one_of(
    st.floats(width=32), st.sampled_from([0.0, -1.0, 1e30, 1e-30, float("nan"), float("inf")])
)
HEADER_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "sizeof_hdr": st.integers(-(2**31), 2**31 - 1),
        "dim": st.lists(NUMBERS, min_size=8, max_size=8),
        "datatype": st.one_of(NUMBERS, st.sampled_from([1, 2, 4, 16, 32, 64, 128, 1536, 2304])),
        "bitpix": NUMBERS,
        "pixdim": st.lists(FLOATS, min_size=8, max_size=8),
        "vox_offset": FLOATS,
        "scl_slope": FLOATS,
        "scl_inter": FLOATS,
        "qform_code": NUMBERS,
        "sform_code": NUMBERS,
        "quatern_b": FLOATS,
        "srow_x": st.lists(FLOATS, min_size=4, max_size=4),
        "srow_y": st.lists(FLOATS, min_size=4, max_size=4),
        "magic": st.binary(max_size=4),
    },
)


@given(HEADER_FIELDS, st.booleans())
def test_forged_nifti_headers(seeds, tmp_path_factory, fields, swapped):
    raw = (seeds / "ct.nii").read_bytes()
    header = nib.Nifti1Header(raw[:348], check=False)
    for key, value in fields.items():
        header[key] = value
    if swapped:
        header = header.as_byteswapped(">")
    path = tmp_path_factory.mktemp("nifti") / "ct.nii"
    path.write_bytes(header.binaryblock + raw[348:])
    failures = Failures()
    failures.check(f"{fields}", path, read_scan)
    failures.check(f"{fields}", path, read_labels)
    assert not failures.found, failures.found[0]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                [
                    "label",
                    "X",
                    "Y",
                    "Z",
                    "direction",
                    "20",
                    "voxel_xyz",
                    "physical_xyz",
                    "vertebralCentroids",
                ]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=12,
)


@given(JSON)
def test_forged_centroid_files(tmp_path_factory, content):
    reference = Volume(np.zeros((9, 9, 9), np.int16), np.eye(4))
    path = tmp_path_factory.mktemp("json") / "x_ctd.json"
    path.write_text(json.dumps(content))
    failures = Failures()
    failures.check(f"{content}", path, lambda p: read_centroids(p, reference))
    assert not failures.found, failures.found[0]


TAGS = st.fixed_dictionaries(
    {},
    optional={
        "Rows": st.sampled_from([0, 1, 47, 48, 65_535]),
        "BitsAllocated": st.sampled_from([0, 1, 8, 16, 32, 64, 7]),
        "BitsStored": st.sampled_from([0, 1, 12, 16, 17, 64]),
        "PixelRepresentation": st.sampled_from([0, 1, 2]),
        "SamplesPerPixel": st.sampled_from([0, 1, 3]),
        "NumberOfFrames": st.sampled_from([0, 1, 2, -1, 10**9]),
        "PixelSpacing": st.lists(st.sampled_from([0.8, 0, -1, 1e9]), max_size=3),
        "ImagePositionPatient": st.lists(
            st.sampled_from([-1e30, 0, -127.69, 5.5, 1e308]), max_size=4
        ),
        "ImageOrientationPatient": st.lists(st.sampled_from([0, 1, -1, 0.5]), max_size=7),
        "RescaleSlope": st.sampled_from([0, 1, -1, 0.5, 1e300]),
        "RescaleIntercept": st.sampled_from([0, -1024, 1e300, 0.1]),
        "SeriesNumber": st.sampled_from([None, -1, 2**31 - 1]),
        "SeriesInstanceUID": st.sampled_from(["", "1.2", "0" * 64]),
        "SeriesDescription": st.text(
            st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=64
        ),
        "Modality": st.sampled_from(["CT", "MR", "", "SR"]),
        "PhotometricInterpretation": st.sampled_from(["RGB", "MONOCHROME1", "PALETTE COLOR", ""]),
    },
)


@given(TAGS, st.booleans())
def test_forged_dicom_tags(seeds, tmp_path_factory, tags, all_slices):
    import pydicom

    folder = tmp_path_factory.mktemp("dicom") / "series"
    folder.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("01", "02", "03"):
            dataset = pydicom.dcmread(seeds / "series" / name)
            if all_slices or name == "02":
                for keyword, value in tags.items():
                    setattr(dataset, keyword, value)
            dataset.save_as(folder / name)
    failures = Failures()
    failures.check(f"{tags}", folder, read_scan)
    failures.check(f"{tags}", folder, list_series)
    assert not failures.found, failures.found[0]


def bundle(folder: Path) -> Path:
    """Save a tiny model."""
    import torch

    from spinexplain.config.training import HeadSettings, InputSpec, TrunkSettings
    from spinexplain.models.build import build_model
    from spinexplain.models.bundle.store import Bundle, save_bundle
    from spinexplain.models.grader import Scope
    from spinexplain.models.trunks.backbones import build_trunk

    torch.manual_seed(0)
    spec = InputSpec(axes=2, extent_mm=32, size=32)
    trunk_settings = TrunkSettings(name="conv", blocks=2, widths=(4, 6), weights="none")
    head = HeadSettings(kind="linear", feature_dim=5)
    model = build_model(build_trunk(trunk_settings, spec), head, 3, spec)
    made = Bundle(
        name="tiny",
        version="1",
        model=model,
        task=TASKS["g0-g2-g3"],
        spec=spec,
        trunk=trunk_settings,
        head=head,
        scope=Scope(),
        trained_on="nothing",
        card="a card",
    )
    return save_bundle(made, folder)


@pytest.mark.parametrize("victim", ["bundle.json", "model.safetensors", "manifest.json"])
def test_damaged_bundles(victim, tmp_path, cases):
    """With the manifest's hashes made to fit again, so that the damage is really read."""
    from spinexplain.models.bundle.store import load_grader

    folder = bundle(tmp_path / "tiny")
    whole = (folder / victim).read_bytes()
    load_grader(folder)
    failures = Failures()
    for case in range(cases):
        (folder / victim).write_bytes(damaged(whole, rng_of(victim, case)))
        if victim != "manifest.json":
            manifest = json.loads((folder / "manifest.json").read_text())
            digest = hashlib.sha256((folder / victim).read_bytes()).hexdigest()
            manifest["sha256"][victim] = digest
            (folder / "manifest.json").write_text(json.dumps(manifest))
        failures.check(f"{victim} {case}", folder, load_grader)
    failures.report()


def leave(arguments: list[str], capsys) -> tuple[int, str]:
    """Run the command line in this process; return its exit code and standard error."""
    from spinexplain.cli.main import run

    capsys.readouterr()
    try:
        run(arguments)
    except SystemExit as end:
        return int(end.code or 0), capsys.readouterr().err
    return 0, capsys.readouterr().err


def check_ending(name: str, code: int, stderr: str, folder: Path, before: set[Path]) -> None:
    """Exit 0, or 2 with one line that says why and nothing written."""
    assert code in (0, 2), f"{name}: exit code {code}: {stderr}"
    assert "Traceback" not in stderr, name
    if code == 2:
        lines = [line for line in stderr.splitlines() if line.startswith("spinexplain: ")]
        errors = [line for line in lines if not line.startswith("spinexplain: warning: ")]
        assert len(errors) == 1, f"{name}: {stderr}"
        assert set(folder.iterdir()) == before, f"{name}: something was written"


COMMANDS = {
    "measure ct": ("ct.nii.gz", ["measure", "{ct}", "--labels", "{mask}", "-o", "{out}.csv"]),
    "measure mask": ("mask.nii.gz", ["measure", "{ct}", "--labels", "{mask}", "-o", "{out}.csv"]),
    "measure zip": ("series.zip", ["measure", "{zip}", "--labels", "{mask}", "-o", "{out}.csv"]),
    "grade ct": (
        "ct.nii.gz",
        ["grade", "{ct}", "--labels", "{mask}", "--model", "{tiny}", "-o", "{out}"],
    ),
    "grade json": (
        "x_ctd.json",
        ["grade", "{ct}", "--centroids", "{json}", "--model", "{tiny}", "-o", "{out}"],
    ),
}


@pytest.fixture(scope="module")
def desk(seeds, tmp_path_factory) -> Path:
    """A folder with everything a command line needs, whole."""
    desk = tmp_path_factory.mktemp("desk")
    # The whole crop, which has a body to measure; the seeds are smaller than one.
    shutil.copy(CROP / "sub-ct_label-22_ct.nii.gz", desk / "ct.nii.gz")
    shutil.copy(CROP / "sub-ct_seg-vert_label-22_msk.nii.gz", desk / "mask.nii.gz")
    shutil.copy(seeds / "series.zip", desk / "series.zip")
    centroids = [{"direction": ["P", "I", "R"]}, {"label": 21, "X": 9.0, "Y": 9.0, "Z": 9.0}]
    (desk / "x_ctd.json").write_text(json.dumps(centroids))
    bundle(desk / "tiny")
    return desk


def clear(desk: Path) -> None:
    shutil.rmtree(desk / "out", ignore_errors=True)
    (desk / "out.csv").unlink(missing_ok=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_line_ends_in_one_line(command, desk, cases, capsys):
    victim, words = COMMANDS[command]
    names = {"ct": "ct.nii.gz", "mask": "mask.nii.gz", "zip": "series.zip", "json": "x_ctd.json"}
    places = {key: str(desk / name) for key, name in {**names, "tiny": "tiny"}.items()}
    arguments = [word.format(out=desk / "out", **places) for word in words]
    whole = (desk / victim).read_bytes()
    before = set(desk.iterdir())
    code, stderr = leave(arguments, capsys)
    assert code == (2 if victim == "series.zip" else 0), stderr  # its frame is another
    clear(desk)
    endings = []
    try:
        for case in range(cases // 2):
            (desk / victim).write_bytes(damaged(whole, rng_of(command, case)))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                code, stderr = leave(arguments, capsys)
            check_ending(f"{command} {case}", code, stderr, desk, before)
            endings.append(code)
            clear(desk)
    finally:
        (desk / victim).write_bytes(whole)
    assert 2 in endings

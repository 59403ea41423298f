"""External tools, played by small programs that write, fail and hang like the real ones."""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from spinexplain.errors import ConfigError, LocalizerError
from spinexplain.io.nifti import read_labels, read_volume, write_nifti
from spinexplain.io.read import read_body, read_mask
from spinexplain.spine.localizer_config import LocalizerTemplate
from spinexplain.spine.localizers import run_localizer

DATA = Path(__file__).parents[1] / "data"
EXAMPLE = DATA / "totalsegmentator-example"
CT = EXAMPLE / "example_ct.nii.gz"


class Bench:
    """A PATH with fake tools on it, a cache, and a log of who was called with what."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "env" / "bin"
        self.bin.mkdir(parents=True)
        self.cache = folder / "cache"
        self.log = folder / "calls"

    def tool(self, name: str, body: str) -> Path:
        """Put a program on the PATH; ``body`` sees ``args`` and may use ``shutil``."""
        path = self.bin / name
        path.write_text(
            f"#!{sys.executable}\n"
            "import json, os, shutil, sys, time\n"
            "from pathlib import Path\n"
            "args = sys.argv[1:]\n"
            f"with open({str(self.log)!r}, 'a') as log:\n"
            "    log.write(json.dumps([args, dict(os.environ), os.getcwd()]) + '\\n')\n" + body
        )
        path.chmod(0o755)
        return path

    def calls(self) -> list:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def leftovers(self) -> list:
        return [str(path) for path in self.cache.rglob(".*") if path.name != ".spinexplain"]


@pytest.fixture
def bench(tmp_path, monkeypatch):
    bench = Bench(tmp_path)
    monkeypatch.setenv("PATH", f"{bench.bin}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", "must-not-be-inherited")
    return bench


TOTALSEGMENTATOR = f"""
given = dict(zip(args, args[1:]))
assert '--ml' in args and given['--task'] == 'total', args
assert Path(given['-i']).is_file() and given['-i'].endswith(('.nii', '.nii.gz'))
sys.stderr.write('Predicting part 1 of 1 ...\\r100%|##########| 8/8\\n')
print('Creating preview')
shutil.copy({str(EXAMPLE / "totalseg.nii.gz")!r}, given['-o'])
"""


def test_totalsegmentator_as_it_is_called(bench):
    bench.tool("TotalSegmentator", TOTALSEGMENTATOR)
    lines = []
    found = run_localizer("totalsegmentator", CT, bench.cache, note=lines.append)
    assert not found.from_cache
    assert found.scheme == "totalsegmentator"
    assert found.centroids is None
    labels = read_mask(found.labels, found.scheme).array
    assert np.unique(labels).tolist() == [0, *range(18, 25)]
    assert {"Predicting part 1 of 1 ...", "Creating preview"} <= set(lines)
    assert bench.leftovers() == []
    assert "PYTHONPATH" not in bench.calls()[0][1]


def test_a_result_is_made_once_for_each_scan_tool_and_version(bench, tmp_path):
    bench.tool("TotalSegmentator", TOTALSEGMENTATOR)
    first = run_localizer("totalsegmentator", CT, bench.cache)
    again = run_localizer("totalsegmentator", CT, bench.cache)
    assert again.from_cache
    assert again.labels == first.labels
    assert len(bench.calls()) == 1
    copy = tmp_path / "same scan, other name.nii.gz"
    copy.write_bytes(CT.read_bytes())
    assert run_localizer("totalsegmentator", copy, bench.cache).from_cache
    other = tmp_path / "other.nii.gz"
    scan = read_volume(CT)
    write_nifti(other, scan.array[:, :, :60], scan.affine)
    assert not run_localizer("totalsegmentator", other, bench.cache).from_cache
    assert not run_localizer("totalsegmentator-fast", CT, bench.cache).from_cache
    installed = bench.bin.parent / "lib" / "python3.12" / "site-packages"
    (installed / "totalsegmentator-2.18.0.dist-info").mkdir(parents=True)
    newer = run_localizer("totalsegmentator", CT, bench.cache)
    assert (newer.from_cache, newer.version) == (False, "2.18.0")
    assert len(bench.calls()) == 4


def spine_segment(bench):
    """Write what spine-segment does: levels with its sacrum 28, bodies, centroids."""
    mask = read_labels(EXAMPLE / "totalseg_vertebrae_pp_refined.nii.gz")
    level = mask.array.copy()
    level[read_labels(EXAMPLE / "totalseg.nii.gz").array == 26] = 28
    write_nifti(bench.folder / "level.nii.gz", level, mask.affine)
    write_nifti(bench.folder / "body.nii.gz", np.where(level, 2, 0).astype(np.uint8), mask.affine)
    bench.tool(
        "spine-segment",
        f"""
ct, out = Path(args[0]), Path(args[args.index('--output') + 1])
stem = ct.name.removesuffix('.gz').removesuffix('.nii')
home = Path({str(bench.folder)!r})
shutil.copy(home / 'level.nii.gz', out / f'{{stem}}_vertebral-level.nii.gz')
shutil.copy(home / 'body.nii.gz', out / f'{{stem}}_process-body.nii.gz')
shutil.copy(home / 'body.nii.gz', out / f'{{stem}}_cort-trab.nii.gz')
(out / f'{{stem}}_centroids.json').write_text('{{}}')
print(f'[spine-segment] input={{ct}} device=cpu')
""",
    )


def test_spine_segment_as_it_is_called(bench):
    spine_segment(bench)
    found = run_localizer("spine-segment", CT, bench.cache)
    labels = read_mask(found.labels, found.scheme).array
    assert 28 not in labels, "its 28 is the sacrum"
    assert labels.max() == 24
    assert found.centroids.read_text() == "{}"
    assert read_body(found.body, found.body_scheme).array.any()
    assert sorted(p.name for p in found.labels.parent.iterdir()) == [
        ".spinexplain",
        "body.nii.gz",
        "centroids.json",
        "labels.nii.gz",
        "localized.json",
    ]


def test_a_dicom_series_is_converted_for_the_tool(bench, tmp_path):
    import pydicom

    series = tmp_path / "series"
    series.mkdir()
    for name in ("01", "02", "03"):
        dataset = pydicom.dcmread(DATA / "dcmqi-ct-3slice" / f"{name}.dcm")
        dataset.save_as(series / name)
    mask = np.zeros((512, 512, 3), np.uint8)
    mask[200:220, 200:220] = 20
    write_nifti(bench.folder / "m.nii.gz", mask, np.eye(4))
    bench.tool(
        "tool",
        f"shutil.copy(args[0], {str(bench.folder / 'seen.nii')!r})\n"
        f"shutil.copy({str(bench.folder / 'm.nii.gz')!r}, args[1])\n",
    )
    template = LocalizerTemplate(command=("tool", "{ct}", "{out}/m.nii.gz"), output="m.nii.gz")
    assert not run_localizer(template, series, bench.cache).from_cache
    assert read_volume(bench.folder / "seen.nii").array.shape == (512, 512, 3)
    (series / "01").rename(series / "zz")
    assert run_localizer(template, series, bench.cache).from_cache


def test_a_tool_of_a_configuration_file(bench, tmp_path):
    bench.tool("my tool", TOTALSEGMENTATOR)
    config = tmp_path / "localizers.toml"
    config.write_text(
        '[localizers."ours; rm -rf"]\n'
        'command = ["my tool", "--ml", "--task", "total", "-i", "{ct}", "-o", "{out}/$(x).nii.gz",'
        ' "; touch pwned", "*"]\n'
        'output = "*.nii.gz"\nscheme = "totalsegmentator"\nversion = "1"\n'
    )
    found = run_localizer("ours; rm -rf", CT, bench.cache, config=config)
    assert found.labels.is_file()
    assert found.localizer == "ours__rm_-rf"
    ((args, _, folder),) = bench.calls()
    assert args[-2:] == ["; touch pwned", "*"], "no shell has touched the words"
    assert not list(tmp_path.rglob("pwned"))
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("sys.exit('RuntimeError: no license')", r"exit code 1\): RuntimeError: no license"),
        ("os.kill(os.getpid(), 9)", r"exit code -9\): it printed nothing"),
        ("print('all good')", r"wrote 0 files named labels.nii.gz.* It printed: all good"),
        ("Path(args[3]).write_bytes(b'garbage' * 99)", "cannot be used: .*is no NIfTI"),
        (f"shutil.copy({str(CT)!r}, args[3])", "cannot be used: .*Is this the CT"),
        (f"shutil.copy({str(EXAMPLE / 'totalseg_vertebrae_body.nii.gz')!r}, args[3])", "none of"),
    ],
)
def test_tools_that_fail_are_quoted_and_leave_nothing(bench, body, message):
    bench.tool("TotalSegmentator", body)
    with pytest.raises(LocalizerError, match=message):
        run_localizer("totalsegmentator", CT, bench.cache)
    assert bench.leftovers() == []
    assert not list(bench.cache.rglob("*.nii*"))
    bench.tool("TotalSegmentator", TOTALSEGMENTATOR)
    assert not run_localizer("totalsegmentator", CT, bench.cache).from_cache


def test_a_tool_that_hangs_is_stopped(bench):
    bench.tool("TotalSegmentator", "time.sleep(600)")
    with pytest.raises(LocalizerError, match="was stopped after 2 s"):
        run_localizer("totalsegmentator", CT, bench.cache, timeout_s=2)
    assert bench.leftovers() == []


def test_tools_that_are_not_there(bench, monkeypatch):
    monkeypatch.setenv("PATH", str(bench.bin))
    with pytest.raises(LocalizerError, match=r"not found on the PATH.*pipx install TotalSeg"):
        run_localizer("totalsegmentator", CT, bench.cache)
    with pytest.raises(ConfigError, match="is unknown"):
        run_localizer("totalsegmenter", CT, bench.cache)
    assert not bench.cache.exists()


def test_what_a_killed_run_left_is_replaced_and_swept(bench):
    bench.tool("TotalSegmentator", TOTALSEGMENTATOR)
    found = run_localizer("totalsegmentator", CT, bench.cache)
    (found.labels.parent / "localized.json").write_text('{"labels": "gone.nii.gz"}')
    stale = found.labels.parents[1] / ".stale-abc"
    (stale / "work").mkdir(parents=True)
    (stale / "work" / "ct.nii").write_bytes(b"a copy of a scan")
    os.utime(stale, (time.time() - 1e6,) * 2)
    fresh = found.labels.parents[1] / ".fresh-abc"
    fresh.mkdir()
    again = run_localizer("totalsegmentator", CT, bench.cache)
    assert not again.from_cache
    assert again.labels.is_file()
    assert not stale.exists()
    assert fresh.exists(), "it may belong to a run that is still going"


@pytest.mark.parametrize("record", ["", "[]", "null", "{", '{"labels": null}', '{"labels": 3}'])
def test_broken_records_are_made_anew(bench, record):
    bench.tool("TotalSegmentator", TOTALSEGMENTATOR)
    found = run_localizer("totalsegmentator", CT, bench.cache)
    (found.labels.parent / "localized.json").write_text(record)
    assert not run_localizer("totalsegmentator", CT, bench.cache).from_cache

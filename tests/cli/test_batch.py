import json
import sys
from pathlib import Path

import pytest

from spinexplain.cli.main import run

EXAMPLES = Path(__file__).parents[2] / "src" / "spinexplain" / "data" / "examples"


@pytest.mark.slow
def test_an_archive_of_a_scan_and_of_bad_input(tmp_path, capsys, monkeypatch):
    source = str(Path(sys.modules["spinexplain"].__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", source)
    ct, mask = EXAMPLES / "lumbar_ct.nii.gz", EXAMPLES / "lumbar_seg-vert_msk.nii.gz"
    (tmp_path / "bad.nii.gz").write_bytes(b"no")
    manifest = tmp_path / "archive.csv"
    manifest.write_text(f"name,ct,labels,age,sex\ngood,{ct},{mask},71,F\nbad,bad.nii.gz,{mask},,\n")
    out = tmp_path / "out"
    run(["batch", str(manifest), "-o", str(out), "--workers", "1"])
    assert "graded 1, refused 1, crashed 0" in capsys.readouterr().out
    before = (out / "scans" / "good" / "result.json").stat().st_mtime_ns
    run(["batch", str(manifest), "-o", str(out)])
    assert "2 scans, 0 to do" in capsys.readouterr().err
    assert (out / "scans" / "good" / "result.json").stat().st_mtime_ns == before
    run(["summarize", str(out), "--reference", str(out)])
    figures = json.loads((out / "summary.json").read_text())
    assert figures["scans"] == {"graded": 1, "refused": 1}
    assert figures["refusals"] == {"FileFormatError": 1}
    assert all(row["gap"] == 0 for row in figures["drift"])
    assert "1 scans graded" in (out / "archive.html").read_text("utf-8")


def test_a_wrong_manifest_is_one_line(tmp_path, capsys):
    manifest = tmp_path / "archive.csv"
    manifest.write_text("ct,patient\n")
    with pytest.raises(SystemExit) as ended:
        run(["batch", str(manifest), "-o", str(tmp_path / "out")])
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()

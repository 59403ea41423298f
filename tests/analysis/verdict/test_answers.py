"""Stored answers are those of the network, and are asked for again when a scan changes."""

import os

import pandas as pd

from spinexplain.analysis.verdict.answers import BenchAnswer, read_answers
from spinexplain.analysis.verdict.table import witness_table


def test_what_is_stored_is_what_was_said(bench_scan, shipped_grader, tmp_path):
    answer = BenchAnswer("protoverse-phantom", bench_scan.path, tmp_path / "said")
    assert not answer.is_current
    answer.make()
    assert answer.is_current
    pd.testing.assert_frame_equal(
        read_answers([answer]), witness_table(shipped_grader, [bench_scan.path])
    )


def test_a_scan_that_was_drawn_again_is_asked_about_again(tmp_path):
    scan = tmp_path / "hard" / "1-0000.npz"
    scan.parent.mkdir()
    scan.write_bytes(b"")
    answer = BenchAnswer("protoverse-phantom", scan, tmp_path / "said")
    answer.folder.mkdir()
    answer.path.write_bytes(b"")
    os.utime(scan, (100, 100))
    os.utime(answer.path, (200, 200))
    assert answer.is_current
    os.utime(scan, (300, 300))
    assert not answer.is_current
    assert answer.path.name == "hard-1-0000.parquet"

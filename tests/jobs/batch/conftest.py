"""Manifests over the bundled lumbar scan, and workers that do nothing costly."""

from __future__ import annotations

import csv
import os
import sys
import time
from pathlib import Path

import pytest

from spinexplain.jobs.batch.manifest import ArchiveScan
from spinexplain.jobs.batch.outcome import GRADED, Outcome

sys.modules.setdefault("batch_tests_conftest", sys.modules[__name__])
EXAMPLES = Path(__file__).parents[3] / "src" / "spinexplain" / "data" / "examples"


@pytest.fixture
def manifest(tmp_path):
    """A maker of manifests: manifest([{column: value}]) -> path."""

    def make(rows, name="archive.csv"):
        path = tmp_path / name
        columns = list(dict.fromkeys(column for row in rows for column in row))
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(rows)
        return path

    return make


def lumbar(name, **more):
    return {
        "name": name,
        "ct": str(EXAMPLES / "lumbar_ct.nii.gz"),
        "labels": str(EXAMPLES / "lumbar_seg-vert_msk.nii.gz"),
        **more,
    }


def scans(*names):
    return [ArchiveScan(name, Path("ct"), labels=Path("m")) for name in names]


def nothing_to_load():
    return ()


def toy_work(scan, out, models):
    """Grade by name: ``die`` kills its worker, ``once-...`` the first time, ``hang`` hangs."""
    with (out / "log.txt").open("a") as stream:
        stream.write(f"{scan.name}\n")
    if scan.name == "die":
        os._exit(9)
    if scan.name == "hang":
        time.sleep(60)
    if scan.name.startswith("once"):
        flag = out / f"{scan.name}.flag"
        if not flag.exists():
            flag.write_text("")
            os._exit(9)
    return Outcome(scan.name, GRADED)

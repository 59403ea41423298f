"""One small phantom scan, stored once for all tests of the bench."""

from dataclasses import replace

import pytest

from spinexplain.analysis.verdict.bench import BenchScan
from spinexplain.data.phantom.presets import load_preset
from spinexplain.models.bundle.store import load_grader


@pytest.fixture(scope="session")
def bench_scan(tmp_path_factory):
    preset = load_preset("verse-like")
    small = replace(preset, field=replace(preset.field, spans=("L1-L4",)))
    scan = BenchScan("small", small, 11, 0, tmp_path_factory.mktemp("bench"))
    scan.make()
    return scan


@pytest.fixture(scope="session")
def shipped_grader():
    return load_grader("protoverse-phantom")

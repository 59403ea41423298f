"""The simulated scheduler against what one can do on paper, and the page against its results."""

import importlib.util
import json
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "archive_scale.py"


@pytest.fixture(scope="module")
def scale():
    spec = importlib.util.spec_from_file_location("archive_scale", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_one_worker_reads_then_computes(scale):
    assert scale.simulate(10, 1, 3.0, 100.0, 1e9, 50.0) == pytest.approx(10 * (2 + 3))


def test_many_workers_are_bound_by_the_storage(scale):
    """1000 workers, 1000 scans of 100 bytes through 1000 bytes a second: 100 s, then 3 s."""
    assert scale.simulate(1000, 1000, 3.0, 100.0, 1000.0, 1e9) == pytest.approx(103)


def test_plenty_of_storage_scales_evenly(scale):
    one = scale.simulate(100, 1, 3.0, 100.0, 1e9, 50.0)
    assert scale.simulate(100, 10, 3.0, 100.0, 1e9, 50.0) == pytest.approx(one / 10)


def test_workers_that_start_apart_share_the_storage(scale):
    """Two workers, three scans: 200 bytes at 100 a second, compute 1 s, then one alone."""
    assert scale.simulate(3, 2, 1.0, 100.0, 100.0, 1e9) == pytest.approx(2 + 1 + 1 + 1)


def test_the_page_is_written_from_its_results(scale):
    content = json.loads(scale.RESULTS.read_text())
    assert scale.PAGE.read_text() == scale.page(content)

"""Options of the whole suite."""

from types import SimpleNamespace

import pytest
from hypothesis import settings

settings.register_profile("ci", deadline=None)
settings.register_profile("fuzz", max_examples=1000, deadline=None)


def pytest_addoption(parser):
    parser.addoption(
        "--fuzz", action="store_true", help="Feed ten times as many broken inputs to every reader."
    )


def pytest_configure(config):
    settings.load_profile("fuzz" if config.getoption("--fuzz") else "ci")


@pytest.fixture
def toy_cohort(tmp_path):
    """Return a maker of cohorts of drawn squares of bone, whole (G0), topless (G2), cut (G3).

    ``toy_cohort(n, name, split, grades)``; two vertebrae a subject, the split by subject.
    """

    def make(n=48, name="toys", split=None, grades=(0, 2, 3), seed=0):
        from spinexplain.data.cohort_writer import CohortWriter
        from spinexplain.data.sheets import sheet_shard

        writer = CohortWriter.create(tmp_path / name, {"seed": seed})
        sheets = [toy_sheet(i, grades[i % len(grades)], seed) for i in range(n)]
        if split is None:
            writer.add_series(sheet_shard("toys", sheets, seed=seed))
        else:
            cut = 2 * round(split * n / 2)
            writer.add_series(sheet_shard("toys-a", sheets[:cut], "training", seed))
            writer.add_series(sheet_shard("toys-b", sheets[cut:], "test", seed))
        return writer.finish()

    return make


def toy_sheet(number, grade, seed):
    """Draw one sheet of 144 x 144 mm with a square of bone in its middle."""
    import numpy as np

    rng = np.random.default_rng([seed, number])
    rows, columns = np.mgrid[:144, :144] - 71.5
    body = (abs(rows) < 8) & (abs(columns) < 8)
    lost = {0: np.zeros_like(body), 1: rows < -6, 2: rows < -2, 3: columns < 0}[grade] & body
    hu = rng.normal(0, 30, (144, 144)) + 300 * (body & ~lost)
    return SimpleNamespace(
        subject=f"sub-{number // 2}",
        hu=hu.astype(np.int16),
        labels=body * np.uint8(20 - number % 2),
        body=body.astype(np.uint8),
        evidence=lost.astype(np.uint8),
        twin_hu=None,
        level=("L1", "T12")[number % 2],
        grade=grade,
        shape="none" if grade == 0 else "crush",
        loss=0.2 * grade,
    )


TINY = """
name = "tiny"
validation_share = 0.3
[input]
extent_mm = 32
size = 32
[trunk]
name = "conv"
widths = [6, 8]
weights = "none"
blocks = 2
[head]
feature_dim = 6
prototypes_per_class = 2
[classifier]
steps = 12
batch = 16
trunk_lr = 3e-3
[warm]
steps = 3
batch = 16
[joint]
steps = 3
batch = 16
"""


@pytest.fixture
def tiny_preset(tmp_path):
    """Write a preset that trains on the toy cohort in seconds; return its path."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path

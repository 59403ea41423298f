"""Options of the whole suite."""

import types

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


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """A run of a few steps on drawn squares, with its bundle: (run folder, cohort folder)."""
    from spinexplain.cli.train import TrainRequest, train_to_bundle

    folder = tmp_path_factory.mktemp("finished")
    draw_squares(folder / "cohort", count=48, seed=0)
    preset = folder / "tiny.toml"
    preset.write_text(TINY)
    train_to_bundle(TrainRequest(str(preset), folder / "cohort", folder / "run"))
    return folder / "run", folder / "cohort"


@pytest.fixture
def squares_cohort(tmp_path):
    """A maker of cohorts of drawn squares: squares_cohort(count, subjects=None) -> folder."""

    def make(count=24, subjects=None):
        return draw_squares(tmp_path / "squares", count, seed=2, subjects=subjects)

    return make


@pytest.fixture(scope="session")
def other_cohort(tmp_path_factory):
    """A cohort of the same kind that nothing was trained on."""
    return draw_squares(tmp_path_factory.mktemp("other") / "cohort", count=48, seed=1)


TINY = """
name = "tiny"
validation_share = 0.2
[input]
extent_mm = 32
size = 32
[trunk]
name = "conv"
weights = "none"
blocks = 2
widths = [6, 8]
[head]
feature_dim = 6
prototypes_per_class = 2
[classifier]
steps = 4
batch = 16
[warm]
steps = 2
batch = 16
[joint]
steps = 3
batch = 16
[augment]
shift_mm = 3
"""


def draw_squares(path, count, seed, subjects=None):
    """Write a cohort of squares of bone, whole (G0), without top (G2) or front (G3).

    Two vertebrae a subject, or spread over so many ``subjects``.
    """
    from spinexplain.data.cohort_writer import CohortWriter
    from spinexplain.data.sheets import sheet_shard

    writer = CohortWriter.create(path, {"seed": seed})
    sheets = [_square(i, seed) for i in range(count)]
    for i, sheet in enumerate(sheets):
        sheet.subject = f"sub-{i % subjects if subjects else i // 2}"
    writer.add_series(sheet_shard("squares", sheets, split="training", seed=seed))
    writer.finish()
    return path


def _square(index, seed):
    """Draw a body of 16 mm with a process of 6 mm behind it, all in the label."""
    import numpy as np

    rng = np.random.default_rng([seed, index])
    rows, columns = np.mgrid[:144, :144] - 71.5
    body = (abs(rows) < 8) & (abs(columns) < 8)
    process = (abs(rows) < 3) & (columns >= 8) & (columns < 14)
    grade = (0, 2, 3)[index % 3]
    gone = {0: rows > 99, 2: rows < -2, 3: columns < 0}[grade]
    hu = rng.normal(0, 30, (144, 144)) + 300.0 * ((body & ~gone) | process)
    return types.SimpleNamespace(
        subject=f"sub-{index // 2}",
        hu=hu.astype(np.int16),
        labels=(20 * (body | process)).astype(np.uint8),
        body=body.astype(np.uint8),
        evidence=(body & gone).astype(np.uint8),
        twin_hu=None,
        level="L1",
        grade=grade,
        shape="wedge" if grade else "none",
        loss=0.1 * grade,
    )

"""Options of the whole suite."""

import importlib.util
import json
import types
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

# Fixtures that tests of several packages share; a folder's own stand in its conftest.py.
pytest_plugins = [
    "fixtures.boxes",
    "fixtures.browser",
    "fixtures.cohorts",
    "fixtures.curation",
    "fixtures.drawn_bodies",
    "fixtures.explanations",
    "fixtures.exported",
    "fixtures.listeners",
    "fixtures.localizers",
    "fixtures.phantoms",
    "fixtures.scans",
    "fixtures.sharing",
    "fixtures.training_sets",
]

# The same examples on every run, so that a test fails for a change alone. To draw anew:
# pytest --hypothesis-profile random, or --fuzz.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None)
settings.register_profile("fuzz", max_examples=1000, deadline=None)


def pytest_addoption(parser):
    parser.addoption(
        "--fuzz", action="store_true", help="Feed ten times as many broken inputs to every reader."
    )
    parser.addoption(
        "--postgres", action="store_true", help="Run the reader's browser tests on PostgreSQL."
    )


def pytest_configure(config):
    named = config.getoption("--hypothesis-profile", None)
    settings.load_profile("fuzz" if config.getoption("--fuzz") else named or "ci")


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """A run of a few steps on drawn squares, with its bundle: (run folder, cohort folder)."""
    from spinexplain.jobs.train import TrainRequest, train_to_bundle

    folder = tmp_path_factory.mktemp("finished")
    draw_squares(folder / "cohort", count=48, seed=0)
    preset = folder / "tiny.toml"
    preset.write_text(TINY)
    train_to_bundle(TrainRequest(str(preset), folder / "cohort", folder / "run"))
    return folder / "run", folder / "cohort"


@pytest.fixture
def tiny_toml(tmp_path):
    """A file with the settings of ``finished_run``: a prototype network of a few steps."""
    preset = tmp_path / "tiny.toml"
    preset.write_text(TINY)
    return preset


@pytest.fixture(scope="session")
def spines(tmp_path_factory):
    """Four phantoms in VerSe's layout, written by the command: T9, L2 moderate, T12 severe."""
    from spinexplain.cli.main import run

    out = tmp_path_factory.mktemp("phantoms") / "spines"
    run(["phantom", str(out), "--subjects", "4", "--seed", "7", "--preset", "demo"])
    return out


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
    return types.SimpleNamespace(
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


TINY_TOY = """
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
    path.write_text(TINY_TOY)
    return path


@cache
def _toy():
    """Load the toy dissection when a test asks for it: it needs torch."""
    path = Path(__file__).parent / "toy_dissection.py"
    spec = importlib.util.spec_from_file_location("toy_dissection", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def known_grader():
    """Return the maker of graders with known units: ``known_grader(axes)``."""
    return _toy().toy_grader


@pytest.fixture
def known_cohort():
    """Return the maker of cohorts of blocks: ``known_cohort(path, axes=2, grades=...)``."""
    return _toy().write_toy_cohort


@pytest.fixture
def known_plan():
    return _toy().SETTINGS


@pytest.fixture(scope="session")
def known_dissected(tmp_path_factory):
    """The 2-D toy network, dissected."""
    return _toy().toy_dissected(tmp_path_factory.mktemp("toy") / "cohort")


@pytest.fixture(scope="session")
def known_dissected_3d(tmp_path_factory):
    """The 3-D toy network, dissected."""
    return _toy().toy_dissected(tmp_path_factory.mktemp("toy") / "cohort", 3)


@pytest.fixture
def stored():
    """Return makers of results as the commands store them, small: crossval, evaluation, write."""
    return types.SimpleNamespace(
        entry=_entry,
        crossval=_crossval,
        evaluation=_evaluation,
        write=_write_results,
        prototypes=_PROTOTYPES,
        ablation=_ABLATION,
    )


_HEADLINE = ("class_average_accuracy", "class_average_f1", "sample_accuracy")
_MATRIX = [[1.0, 0.2, 0.1], [0.2, 1.0, 0.3], [0.1, 0.3, 1.0]]
_PROTOTYPES = {
    "contributions": {
        "true_class": [[3.0, -1, -1], [-1, 2, -1], [-1, -1, 2.5]],
        "own_class": [[3.0, 1, 1], [1, 2, 1], [1, 1, 2.5]],
    },
    "diagonal_is_largest": {"true_class": True, "own_class": True},
    "prototype_class": [0, 1, 2],
    "first_fold": {
        state: {"cosine": _MATRIX, "centered_cosine": _MATRIX} for state in ("before", "after")
    },
}
_ABLATION = {
    "keys": ["loss.lambda_div", "loss.class_weights"],
    "base": {"loss.lambda_div": 0.3, "loss.class_weights": "median"},
    "settings": {
        "p": {"loss.lambda_div": 0.3, "loss.class_weights": "median"},
        "p-0.1": {"loss.lambda_div": 0.1, "loss.class_weights": "median"},
        "p-ins": {"loss.lambda_div": 0.3, "loss.class_weights": "ins"},
    },
    "how": "All share one classifier.",
}


def _entry(name, f1=0.8, prototypes=None):
    return {
        "name": name,
        "steps": 7,
        "mean": dict.fromkeys(_HEADLINE, f1),
        "sd": dict.fromkeys(_HEADLINE, 0.02),
        "config": {"trunk": {"name": "conv", "weights": "none"}, "input": {"size": 112}},
        "prototypes": prototypes,
    }


def _crossval(entries, data="d" * 64, factors=None):
    found = {"value": 0.01, "low": -0.01, "high": 0.03, "note": ""}
    content = {
        "schema": "spinexplain/crossval-results/1",
        "cohort": "toys",
        "synthetic": True,
        "vertebrae": 60,
        "subjects": 30,
        "folds": 5,
        "classes": ["G0", "G2", "G3"],
        "data_sha256": data,
        "entries": entries,
        "comparisons": [{"first": "b", "second": "a", "differences": {"class_average_f1": found}}],
    }
    return content | ({"factors": factors} if factors else {})


def _evaluation(model, data="d" * 64):
    figure = {"value": 0.8, "low": 0.7, "high": 0.9, "note": ""}
    return {
        "schema": "spinexplain/evaluation/1",
        "model": model,
        "cohort": "toys",
        "data_sha256": data,
        "config_sha256": "c" * 64,
        "vertebra": dict.fromkeys(_HEADLINE, figure),
    }


def _write_results(folder, **contents):
    import json

    for name, content in contents.items():
        path = folder / name / "results.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content))
    return folder


@cache
def _fixed_calibration():
    from spinexplain.findings.weighing import read_calibration

    path = Path(__file__).parent / "fixtures" / "verdict.json"
    return read_calibration(json.loads(path.read_text("utf-8")))


@pytest.fixture(autouse=True)
def steady_verdict(monkeypatch):
    """Judge by weights that stay: the package's change whenever they are fitted again."""
    from spinexplain.findings import rules

    monkeypatch.setattr(rules, "stored_calibration", _fixed_calibration)

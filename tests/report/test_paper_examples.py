import pytest
from PIL import Image

from spinexplain.config.entries import parse_entry
from spinexplain.errors import ConfigError
from spinexplain.experiment.crossval import Plan, cross_validate
from spinexplain.experiment.crossval_results import crossval_results
from spinexplain.experiment.stored import find_results
from spinexplain.report.paper_examples import bundle_of, draw_examples, draw_prototypes, sheet


@pytest.fixture
def compared(toy_cohort, tiny_preset, tmp_path):
    """Return a cohort of squares and a cross-validation on it, runs and all."""
    cohort, out = toy_cohort(), tmp_path / "cv"
    channels = 'input.channels=["ct","ct","gaussian"]'
    texts = (f"{tiny_preset}:{channels},as=protoverse", f"{tiny_preset}:head.kind=linear,as=plain")
    cross_validate(cohort, Plan(tuple(map(parse_entry, texts)), folds=2), out)
    crossval_results(out)
    return cohort, find_results(out).of("crossval")[0]


def test_prototypes_and_examples_are_drawn_from_the_runs(compared, tmp_path):
    cohort, item = compared
    assert bundle_of(item, "protoverse").is_dir()
    assert draw_prototypes(item, tmp_path / "4.png")
    names = draw_examples(item, cohort, tmp_path, "-x")
    assert set(names) <= {"protoverse-figure5-x.png", "protoverse-figure6-x.png"}
    for name in ("4.png", *names):
        with Image.open(tmp_path / name) as picture:
            assert picture.width > 400


def test_without_the_runs_there_is_no_figure(stored, tmp_path):
    entries = [stored.entry("a", prototypes=stored.prototypes)]
    stored.write(tmp_path / "in", cv=stored.crossval(entries))
    (item,) = find_results(tmp_path / "in").of("crossval")
    assert not draw_prototypes(item, tmp_path / "4.png")
    assert not (tmp_path / "4.png").exists()


def test_another_cohort_is_refused(compared, toy_cohort, tmp_path):
    _, item = compared
    with pytest.raises(ConfigError, match="is not the cohort of"):
        draw_examples(item, toy_cohort(name="others", seed=1), tmp_path)


def test_a_drawn_sheet_is_cut_around_its_vertebra(toy_cohort):
    patch = sheet(toy_cohort(n=6), 0, 32)
    assert patch.array.shape == (32, 32)
    assert patch.array[8:24, 8:24].mean() > patch.array[:4].mean() + 200
    assert patch.frame.to_patch([0.0, 0.0, 0.0])[:2] == pytest.approx([15.5, 15.5])

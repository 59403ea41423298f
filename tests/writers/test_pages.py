"""No figure is typed by hand: every page is what its writer makes of the stored results."""

from pathlib import Path

import pytest
from writers.registry import WRITERS, write

from spinexplain.reproduce.studies import STUDIES

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [(name, page) for name, writer in WRITERS.items() for page in writer.pages]


@pytest.mark.parametrize(("name", "page"), PAGES)
def test_a_page_is_what_its_writer_makes_of_the_stored_results(name, page):
    text = (DOCS / page).read_text("utf-8")
    assert WRITERS[name].written(page, text, DOCS / "results") == text


@pytest.mark.parametrize("name", ["receptive-fields", "densities"])
def test_pages_and_figures_are_written_elsewhere(name, tmp_path):
    done = write(name, DOCS / "results", tmp_path)
    names = {path.relative_to(tmp_path).as_posix() for path in done}
    assert set(STUDIES[name].pages) <= names
    pictures = {path for path in done if path.suffix == ".png"}
    assert len(pictures) == 1
    assert all((DOCS / path.relative_to(tmp_path)).is_file() for path in done)
    assert all(path.stat().st_size > 1000 for path in pictures)


def test_every_study_has_a_writer_and_stored_results():
    assert set(STUDIES) <= set(WRITERS)
    for name, study in STUDIES.items():
        assert set(WRITERS[name].pages) <= set(study.pages)
        assert all((DOCS / page).is_file() for page in study.pages), name
        assert all((DOCS / "results" / one).exists() for one in study.results), name


def test_what_is_not_stored_is_named(tmp_path):
    with pytest.raises(SystemExit, match=r"receptive-fields\.json is not there"):
        write("receptive-fields", tmp_path, tmp_path)


def test_the_drawing_of_the_house_is_that_of_the_imports():
    from writers import house

    assert (DOCS / "images" / "house.svg").read_text("utf-8") == house.drawing()

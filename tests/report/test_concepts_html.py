import datetime
import re
from dataclasses import replace

import pytest

from spinexplain.explainers.dissection.names import NAMES_SCHEMA, RaterNames
from spinexplain.report.concepts_html import write_concepts
from spinexplain.texts.catalogue import load_catalogue

DATE = datetime.date(2024, 1, 1)


@pytest.fixture
def page(known_dissected, tmp_path):
    path = write_concepts(known_dissected.dissection, tmp_path, 2, date=DATE)
    return path.read_text("utf-8")


def test_the_page_needs_nothing_from_outside(page):
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)
    assert "default-src 'none'" in page
    assert page.count("<script>") == 1


def test_it_carries_what_a_raters_file_needs(page, known_dissected):
    d = known_dissected.dissection
    assert f'data-key="{d.key}"' in page
    assert f'data-schema="{NAMES_SCHEMA}"' in page
    assert page.count('class="card unit"') == 2
    assert page.count('class="naming"') == 2
    assert "Suggested by anatomy:" in page


def test_a_suggestion_comes_after_the_answer(page, known_dissected):
    """No link and no name holds one; the form's shows once the unit is rated."""
    links = re.search(r'<nav class="ranks".*?</nav>', page, re.DOTALL).group()
    assert "uggest" not in links
    assert ".unit:not(.rated) .afterwards { display: none; }" in page
    assert page.count("Suggested by anatomy:") == page.count('class="suggestion afterwards"')


def test_outcomes_have_their_units(page):
    section = re.search(r'<section class="outcomes".*?</section>\n</div>', page, re.DOTALL).group()
    assert "Found fractures" in section
    assert "16 vertebrae" in section
    assert "No unit is enabled more often" in section  # there are no false alarms


def test_further_units_are_listed_and_cautions_shown(page, known_dissected):
    assert "Further units" in page
    said = load_catalogue()
    assert known_dissected.dissection.cautions
    for caution in known_dissected.dissection.cautions:
        assert said(f"caution.{caution.key}", **caution.values) in page


def test_what_raters_wrote_is_escaped(known_dissected, tmp_path):
    d = known_dissected.dissection
    evil = "<img src=x onerror=alert(1)>"
    said = [{"unit": 0, "name": evil, "note": evil}]
    content = {"schema": NAMES_SCHEMA, "key": d.key, "rater": evil, "names": said}
    named = replace(d, names=(RaterNames.model_validate(content),))
    page = write_concepts(named, tmp_path, date=DATE).read_text("utf-8")
    assert "<img" not in page
    assert "&lt;img" in page


def test_the_same_dissection_gives_the_same_bytes(known_dissected, tmp_path):
    one = write_concepts(known_dissected.dissection, tmp_path, date=DATE).read_bytes()
    assert write_concepts(known_dissected.dissection, tmp_path, date=DATE).read_bytes() == one


def test_the_form_speaks_the_schema_of_the_reader():
    """What the script writes is what read_raters takes: the same keys."""
    from importlib import resources

    script = (resources.files("spinexplain.ui") / "static" / "concepts.js").read_text("utf-8")
    for key in ("schema", "key", "model", "layer", "rater", "names"):
        assert re.search(rf"\b{key}: ", script)
    for key in ("unit", "name", "meaningful", "note"):
        assert re.search(rf"\b{key}: ", script)

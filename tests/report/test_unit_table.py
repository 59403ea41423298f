import datetime
import re
from dataclasses import replace

import pytest

from spinexplain.explainers.dissection.names import NAMES_SCHEMA, RaterNames
from spinexplain.report.unit_table import write_unit_table

DATE = datetime.date(2024, 1, 1)


@pytest.fixture
def table(known_dissected, tmp_path):
    """Return a writer of the page with what raters said: ``table({rater: [entry, ...]})``."""

    def write(said):
        d = known_dissected.dissection
        names = tuple(
            RaterNames.model_validate(
                {"schema": NAMES_SCHEMA, "key": d.key, "rater": rater, "names": entries}
            )
            for rater, entries in said.items()
        )
        path = write_unit_table(replace(d, names=names), tmp_path, 2, date=DATE)
        return path.read_text("utf-8")

    return write


def test_every_unit_has_a_row_a_sample_and_its_activations(table, known_dissected):
    page = table({})
    d = known_dissected.dissection
    assert page.count("<tr>") == 1 + 2
    shown = sum(min(len(d.best_of(unit)), 5) for unit in d.top(2))
    assert page.count('class="wash"') == shown
    assert page.count('<span class="side left">A</span>') == 2
    assert page.count("Not named yet.") == 2


def test_it_needs_nothing_from_outside_and_runs_no_script(table):
    page = table({})
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)
    assert "default-src 'none'" in page


def test_readers_words_and_verdicts_stand_beside_the_units(table, known_dissected):
    first, second = known_dissected.dissection.top(2)
    page = table(
        {
            "<b>A</b>": [{"unit": first, "name": "abnormal <endplate>", "meaningful": True}],
            "B": [
                {"unit": first, "name": "abnormal <endplate>", "meaningful": False},
                {"unit": second, "meaningful": False},
            ],
        }
    )
    assert '<p class="name">abnormal &lt;endplate&gt;</p>' in page
    assert "meaningful to 1 of 2 raters" in page
    assert "No pattern that means anything to 1 rater." in page
    assert "Named by &lt;b&gt;A&lt;/b&gt;, B." in page
    assert "Not named yet." not in page


def test_a_verdict_and_a_name_are_two_things(table, known_dissected):
    first, second = known_dissected.dissection.top(2)
    named, judged = {"unit": first, "name": "endplate"}, {"unit": second, "meaningful": True}
    page = table({"A": [named, judged]})
    assert "no verdict yet" in page
    assert "Not named yet. meaningful to 1 of 1 rater with a verdict" in page
    assert "No pattern" not in page

"""What is written about dissection on phantoms is what its scripts make of stored results."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOUND = json.loads((ROOT / "docs" / "results" / "dissection.json").read_text())


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "dissection"]:
        del sys.modules[name]


def test_no_figure_of_the_page_is_typed_by_hand():
    from dissection.page import page_of

    assert (ROOT / "docs" / "dissection.md").read_text() == page_of(FOUND)


def test_no_figure_of_the_twelve_points_is_typed_by_hand():
    from dissection.points import with_points

    ledger = (ROOT / "docs" / "discrepancies.md").read_text()
    assert with_points(ledger, FOUND) == ledger

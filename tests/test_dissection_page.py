"""The page about dissection on phantoms is what its script makes of the stored results."""

import importlib.util
import json
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_no_figure_of_the_page_is_typed_by_hand():
    path = ROOT / "scripts" / "dissection_page.py"
    spec = importlib.util.spec_from_file_location("dissection_page", path)
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    found = json.loads((ROOT / "docs" / "dissection.json").read_text())
    assert (ROOT / "docs" / "dissection.md").read_text() == page.page_of(found)

import base64
import hashlib
import re

import pytest
from jinja2 import DictLoader, UndefinedError

from spinexplain.errors import OutputError
from spinexplain.ui import pages
from spinexplain.ui.pages import content_hash, render_page, static_text, write_page

TEMPLATE = "{{ style }}|{{ script }}|{{ script_hash }}|{{ said }}|{{ loud(said) }}{{ 0.5 | half }}"


@pytest.fixture
def templates(monkeypatch):
    """Let every page be drawn from one small template."""
    plain = pages.template_environment

    def environment():
        made = plain()
        made.loader = DictLoader({f"{name}.html.j2": TEMPLATE for name in ("report", "atlas")})
        return made

    monkeypatch.setattr(pages, "template_environment", environment)


def test_a_page_has_its_own_style_and_script_and_escapes_what_is_not_ours(templates):
    content = {"said": "<b>", "loud": str.upper}
    filters = {"half": lambda value: value / 2}
    style, script, digest, said, rest = render_page("atlas", content, filters=filters).split("|")
    assert style.endswith(static_text("report.css") + static_text("atlas.css"))
    assert script == static_text("atlas.js")
    assert digest == content_hash(script)
    assert (said, rest) == ("&lt;b&gt;", "&lt;B&gt;0.25")


def test_scripts_of_components_run_before_the_page_s_own(templates):
    page = render_page(
        "atlas", {"said": "", "loud": str}, filters={"half": str}, scripts=("card.js",)
    )
    both = static_text("card.js") + static_text("atlas.js")
    assert f"|{both}|{content_hash(both)}|" in page


def test_the_report_has_its_style_sheet_once(templates):
    page = render_page("report", {"said": "", "loud": str}, filters={"half": str})
    assert page.count(static_text("report.css")) == 1


def test_a_page_without_a_script_has_none(templates):
    with pytest.raises(UndefinedError, match="script"):
        render_page("report", {"said": "", "loud": str}, script=False, filters={"half": str})


def test_the_hash_is_what_a_browser_computes():
    digest = base64.b64encode(hashlib.sha256(b"alert(1)").digest()).decode()
    assert content_hash("alert(1)") == f"sha256-{digest}"


def test_pages_load_nothing_from_elsewhere():
    for name in ("report.css", "atlas.css", "concepts.css", "evaluation.css", "unit_table.css"):
        assert not re.search(r"@import|url\((?!data:)", static_text(name))


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    path = write_page(tmp_path / "page.html", "<p>ä</p>")
    assert path.read_text("utf-8") == "<p>ä</p>"
    with pytest.raises(OutputError, match="missing"):
        write_page(tmp_path / "missing" / "page.html", "<p>")
    with pytest.raises(UnicodeEncodeError):
        write_page(path, "\ud800")
    assert path.read_text("utf-8") == "<p>ä</p>"
    assert [item.name for item in tmp_path.iterdir()] == ["page.html"]

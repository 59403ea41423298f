import re
from importlib import resources

import pytest

from spinexplain.app.pages import page_environment, shared_style
from spinexplain.texts.catalogue import load_catalogue


def test_templates_of_the_report_are_found_below_our_own():
    environment = page_environment()
    assert environment.get_template("card.html.j2")
    assert environment.get_template("scan.html.j2")
    assert environment.autoescape is True


def test_no_template_holds_a_script_or_a_handler():
    for path in (resources.files("spinexplain.app") / "templates").iterdir():
        if path.name == "reading_page.html.j2":  # printed, never sent as a page
            continue
        text = path.read_text()
        assert "onclick" not in text, path.name
        assert "<style" not in text, path.name
        for part in text.split("<script")[1:]:
            assert part.startswith(" src="), path.name


def test_the_style_is_the_reports():
    assert "--grade-g3" in shared_style()


OWN = sorted((resources.files("spinexplain.app") / "templates").iterdir(), key=lambda p: p.name)
SCRIPTS = sorted((resources.files("spinexplain.app") / "static").glob("*.js"))
NO_PROSE = {"spinexplain", "serve", "DATA", "study", "STUDY", "CT", "CSV", "JSON", "PDF", "DICOM"}
NO_PROSE |= {"mm", "Esc", "Enter"}
ASKED = re.compile(r'\bsay\(\s*["\']([a-z_]+\.[a-z_.]+)["\'](?!\s*~)')


@pytest.mark.parametrize("template", OWN, ids=lambda path: path.name)
def test_templates_hold_no_prose_of_their_own(template):
    """Sentences are in the catalogue; what is left are names, units and letters of sides."""
    text = re.sub(r"\{#.*?#\}|<style>.*?</style>", "", template.read_text(), flags=re.S)
    text = re.sub(r"\{\{.*?\}\}", "", text)
    labels = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"{]*)', text)
    text = re.sub(r"<[^<>]*>", " ", re.sub(r"\{%.*?%\}", "", text, flags=re.S))
    words = set(re.findall(r"[A-Za-z]{2,}", " ".join([text, *labels])))
    assert words - NO_PROSE == set()


def asked_by(paths):
    return {key for path in paths for key in ASKED.findall(path.read_text())}


def test_every_key_that_pages_and_scripts_ask_for_is_in_the_catalogue():
    asked = asked_by([*OWN, *SCRIPTS])
    assert len(asked) > 100
    assert asked - set(load_catalogue().strings) == set()


def test_pages_bring_along_what_their_scripts_say():
    asked = asked_by(SCRIPTS)
    assert asked
    assert asked <= set(page_environment().globals["script_texts"])

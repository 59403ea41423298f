"""The templates of the reader: its own, and below them those of the report."""

from __future__ import annotations

from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader

from spinexplain.texts.catalogue import load_catalogue
from spinexplain.ui.pages import static_text, template_environment
from spinexplain.ui.tokens import css_variables

_FOR_SCRIPTS = ("script.", "shape.", "state.", "stage.")


@cache
def page_environment() -> Environment:
    """Return the environment; a template of the report is found under its own name.

    All its pages speak from the catalogue, ``say``, and bring along what their scripts say.
    """
    environment = template_environment()
    say = load_catalogue()
    spoken = {key: text for key, text in say.strings.items() if key.startswith(_FOR_SCRIPTS)}
    environment.globals.update(say=say, script_texts=spoken)
    assert environment.loader is not None
    own = PackageLoader("spinexplain.app", "templates")
    environment.loader = ChoiceLoader([own, environment.loader])
    return environment


@cache
def shared_style() -> str:
    """Return the tokens and the report's style as one stylesheet."""
    return css_variables() + static_text("report.css")

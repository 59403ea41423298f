"""The templates of the reader: its own, and below them those of the report."""

from __future__ import annotations

from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader

from spinexplain.ui.pages import static_text, template_environment
from spinexplain.ui.tokens import css_variables


@cache
def page_environment() -> Environment:
    """Return the environment; a template of the report is found under its own name."""
    environment = template_environment()
    assert environment.loader is not None
    own = PackageLoader("spinexplain.app", "templates")
    environment.loader = ChoiceLoader([own, environment.loader])
    return environment


@cache
def shared_style() -> str:
    """Return the tokens and the report's style as one stylesheet."""
    return css_variables() + static_text("report.css")

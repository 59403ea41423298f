"""What every page shares: style and script inlined in one file, and how numbers are written."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from spinexplain.io.files import atomic_file
from spinexplain.ui.tokens import css_variables, grade_style


def render_page(
    name: str,
    content: Mapping[str, Any],
    script: bool = True,
    filters: Mapping[str, Callable[..., Any]] | None = None,
    also: Sequence[str] = (),
    scripts: Sequence[str] = (),
) -> str:
    """Fill a page's templates in; everything from outside is escaped.

    Parameters
    ----------
    name : str
        Of its template, its stylesheet (after ``report.css``) and its script.
    content : mapping
        What the template draws.
    script : bool
        Whether the page has one.
    filters : mapping of str to callable, optional
        Of this page alone.
    also : sequence of str
        Style sheets of other pages that it builds on.
    scripts : sequence of str
        Scripts of components that run before its own.
    """
    names = dict.fromkeys(("report.css", *also, f"{name}.css"))
    style = css_variables() + "".join(static_text(one) for one in names)
    # Markup: stylesheets and scripts are our own files, never a user's.
    own = {"style": Markup(style)}
    if script:
        text = "".join(static_text(one) for one in (*scripts, f"{name}.js"))
        own |= {"script": Markup(text), "script_hash": Markup(content_hash(text))}
    environment = template_environment()
    environment.filters.update(filters or {})
    return environment.get_template(f"{name}.html.j2").render(**content, **own)


def write_page(path: Path, content: str) -> Path:
    """Write a page, whole or not at all, and return where.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with atomic_file(path) as temporary:
        temporary.write_text(content, encoding="utf-8")
    return path


def template_environment() -> Environment:
    """Return the templates' environment: autoescape on, an unknown name is an error."""
    environment = Environment(
        loader=PackageLoader("spinexplain.ui", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=percent, signed=signed, number=number, style=grade_style, css_text=css_text
    )
    return environment


def css_text(text: str) -> Markup:
    r"""Write a text as a quoted CSS string in which nothing can end the string or the sheet.

    Parameters
    ----------
    text : str
        From anywhere: everything but ASCII letters and digits is written by its code.

    Examples
    --------
    >>> css_text('a"</style>')
    Markup('"a\\22 \\3c \\2f style\\3e "')
    """
    plain = "".join(
        char if char.isascii() and char.isalnum() else f"\\{ord(char) or 0xFFFD:x} "
        for char in text
    )
    return Markup(f'"{plain}"')


def percent(share: float) -> str:
    """Write a share as whole percent, with a true minus and no minus before zero.

    Examples
    --------
    >>> percent(0.314), percent(-0.06), percent(-0.001)
    ('31', '−6', '0')
    """
    return f"{round(100 * share):d}".replace("-", "\N{MINUS SIGN}")


def signed(value: float) -> str:
    """Write a contribution with its sign; no minus before zero.

    Examples
    --------
    >>> signed(1.904), signed(-0.71), signed(-0.001)
    ('+1.90', '−0.71', '+0.00')
    """
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "\N{MINUS SIGN}")


def number(value: float) -> str:
    """Write a number with two decimals and a true minus.

    Examples
    --------
    >>> number(-0.12)
    '−0.12'
    """
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def software_version() -> str:
    """Return the installed version, or say that this copy was not installed."""
    try:
        return metadata.version("spinexplain")
    except metadata.PackageNotFoundError:
        return "not installed"


def static_text(name: str) -> str:
    """Read a stylesheet or script that comes with the package."""
    return (resources.files("spinexplain.ui") / "static" / name).read_text(encoding="utf-8")


def content_hash(script: str) -> str:
    """Return the hash that lets this script, and no other, run under a page's policy."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")

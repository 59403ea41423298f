"""The visual language: every color, size and window, in one place.

The report's CSS variables and the style of matplotlib figures are generated from these
values, so that a table in the page and a figure in a paper look like one family.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from spinexplain.config.palette import (
    GRADE_COLORS,
    MEASURED_COLOR,
    OTHER_COLOR,
    UNGRADED_COLOR,
)

SOFT_WINDOW_HU = (-160.0, 240.0)
MASS_SHARES = (0.5, 0.8)  # contours of a heat map enclose these shares of its sum
EVIDENCE_COLORMAP = "inferno"

# No font is fetched; system-ui comes late because on many Linux systems it is DejaVu.
FONT_STACK = (
    '-apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", '
    '"Helvetica Neue", Arial, system-ui, sans-serif'
)
MONOSPACE_STACK = 'ui-monospace, "SF Mono", Consolas, "Liberation Mono", Menlo, monospace'

SIZES = MappingProxyType(
    {
        "size-text": "13px",
        "size-title": "20px",
        "size-lead": "16px",
        "unit": "4px",
        "radius": "6px",
        "radius-small": "3px",
    }
)

LIGHT = MappingProxyType(
    {
        "ground": "#f3f5f7",
        "surface": "#ffffff",
        "sunken": "#eef1f4",
        "line": "#d9dfe5",
        "text": "#12171c",
        "muted": "#55606b",
        "accent": "#0a67ad",
        "accent-soft": "#e3f0fa",
        "warning": "#8a3b00",
        "warning-soft": "#fdf0e0",
        "warning-line": "#e0a35f",
        "for": "#1b7f79",
        "against": "#8456a8",
    }
)

DARK = MappingProxyType(
    {
        "ground": "#0c0f12",
        "surface": "#14191e",
        "sunken": "#1c2228",
        "line": "#2b343d",
        "text": "#e7ecf0",
        "muted": "#98a5b1",
        "accent": "#63b8f2",
        "accent-soft": "#12293b",
        "warning": "#f6bd79",
        "warning-soft": "#2c2013",
        "warning-line": "#8a5a22",
        "for": "#45b8ae",
        "against": "#b792d6",
    }
)

# Pictures keep a black ground in both themes, so what lies on them has its own ink.
PICTURE = MappingProxyType(
    {
        "picture": "#000000",
        "on-picture": "#e9eef2",
        "on-picture-muted": "#9fb0be",
        "contour": "#7fe0ff",
        "selection": "#63b8f2",
        "measured": MEASURED_COLOR,
        "expected": "#ffffff",
    }
)


@dataclass(frozen=True)
class GradeStyle:
    """How a grade is drawn: chip color, ink on it, and the letters it always carries."""

    key: str
    fill: str
    ink: str
    letters: str


GRADES: Mapping[str, GradeStyle] = MappingProxyType(
    {
        "G0": GradeStyle("g0", GRADE_COLORS["G0"], "#10161b", "G0"),
        "G1": GradeStyle("g1", GRADE_COLORS["G1"], "#1b1800", "G1"),
        "G2": GradeStyle("g2", GRADE_COLORS["G2"], "#1f1100", "G2"),
        "G3": GradeStyle("g3", GRADE_COLORS["G3"], "#ffffff", "G3"),
        "no fracture": GradeStyle("g0", GRADE_COLORS["G0"], "#10161b", "no Fx"),
        "fracture": GradeStyle("g3", GRADE_COLORS["G3"], "#ffffff", "Fx"),
    }
)
UNGRADED = GradeStyle("none", UNGRADED_COLOR, "#ffffff", "\N{EN DASH}")
UNKNOWN_CLASS = GradeStyle("other", OTHER_COLOR, "#ffffff", "?")
# What a verdict is drawn as where it is no grade: between the grades, never one of them.
BORDERLINE_STYLE = GradeStyle("borderline", "#f7ecb0", "#1b1800", "?")
DEFORMITY_STYLE = GradeStyle("deformity", "#cdbfe6", "#1a1030", "Df?")


def grade_style(class_name: str | None) -> GradeStyle:
    """Look up how a class is drawn; ``None`` is ungraded, an unknown class keeps its name.

    Examples
    --------
    >>> grade_style("G3").fill
    '#cc3a1b'
    >>> grade_style(None).letters
    '–'
    """
    if class_name is None:
        return UNGRADED
    known = GRADES.get(class_name)
    if known is not None:
        return known
    return GradeStyle(UNKNOWN_CLASS.key, UNKNOWN_CLASS.fill, UNKNOWN_CLASS.ink, class_name)


def css_variables() -> str:
    """Write the tokens as CSS: light by default, dark on request or by preference.

    Examples
    --------
    >>> "--grade-g2: #f0982d;" in css_variables()
    True
    """
    grades = {f"grade-{style.key}": style.fill for style in _grade_styles()}
    inks = {f"ink-{style.key}": style.ink for style in _grade_styles()}
    fonts = {"font": FONT_STACK, "mono": MONOSPACE_STACK}
    always = _declarations({**SIZES, **fonts, **PICTURE, **grades, **inks})
    light, dark = _declarations(LIGHT), _declarations(DARK)
    return (
        f":root {{ color-scheme: light; {always} {light} }}\n"
        f'@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) '
        f"{{ color-scheme: dark; {dark} }} }}\n"
        f'@media screen {{ :root[data-theme="dark"] {{ color-scheme: dark; {dark} }} }}\n'
    )


def matplotlib_style(theme: str = "light") -> dict[str, object]:
    """Return matplotlib rcParams made from the same tokens.

    Parameters
    ----------
    theme : str
        ``"light"`` or ``"dark"``.

    Examples
    --------
    >>> matplotlib_style()["figure.facecolor"]
    '#ffffff'
    """
    colors = DARK if theme == "dark" else LIGHT
    size = float(SIZES["size-text"].removesuffix("px")) * 0.75  # CSS pixels to points
    ink = dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor"), colors["text"])
    ticks = dict.fromkeys(("xtick.color", "ytick.color"), colors["muted"])
    surfaces = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    return {
        **ink,
        **ticks,
        **dict.fromkeys(surfaces, colors["surface"]),
        "axes.edgecolor": colors["line"],
        "grid.color": colors["line"],
        "axes.spines.top": False,
        "axes.spines.right": False,
        "font.family": "sans-serif",
        "font.sans-serif": [name.strip(' "') for name in FONT_STACK.split(",")[2:-2]]
        + ["DejaVu Sans"],
        "font.size": size,
        "axes.titlesize": size,
        "legend.frameon": False,
        "image.cmap": EVIDENCE_COLORMAP,
        "lines.linewidth": 1.5,
        "svg.hashsalt": "spinexplain",
    }


def _grade_styles() -> list[GradeStyle]:
    others = (UNGRADED, UNKNOWN_CLASS, BORDERLINE_STYLE, DEFORMITY_STYLE)
    return list({s.key: s for s in (*GRADES.values(), *others)}.values())


def _declarations(values: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in values.items())

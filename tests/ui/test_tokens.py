from itertools import pairwise

import matplotlib
import pytest

from spinexplain.ui.tokens import (
    DARK,
    GRADES,
    LIGHT,
    PICTURE,
    css_variables,
    grade_style,
    matplotlib_style,
)


def _luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _lightness(color: str) -> float:
    return 116 * _luminance(color) ** (1 / 3) - 16


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["text", "muted", "accent", "warning"])
def test_text_reads_on_every_ground_of_its_theme(theme, ink):
    for ground in ("ground", "surface"):
        assert _contrast(theme[ink], theme[ground]) >= 4.5


def test_a_grade_reads_on_its_own_chip():
    for style in GRADES.values():
        assert _contrast(style.fill, style.ink) >= 4.5, style


def test_grades_differ_in_lightness_for_those_who_see_no_color():
    lightness = sorted(_lightness(GRADES[g].fill) for g in ("G0", "G1", "G2", "G3"))
    gaps = [upper - lower for lower, upper in pairwise(lightness)]
    assert min(gaps) > 3.5


def test_every_grade_carries_letters_of_its_own():
    letters = [style.letters for style in GRADES.values()]
    assert len(set(letters)) == len(letters)
    assert all(letters)


def test_an_unknown_class_keeps_its_name_and_gets_no_grade_color():
    style = grade_style("osteolysis")
    assert style.letters == "osteolysis"
    assert style.fill not in {known.fill for known in GRADES.values()}


def test_css_holds_every_token_and_both_themes():
    css = css_variables()
    for value in (*LIGHT.values(), *DARK.values(), *PICTURE.values()):
        assert value in css
    assert "prefers-color-scheme: dark" in css
    assert '[data-theme="dark"]' in css


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_matplotlib_takes_the_style_and_draws_on_the_same_surface(theme):
    style = matplotlib_style(theme)
    with matplotlib.rc_context(style):
        surface = matplotlib.rcParams["figure.facecolor"]
    assert surface == (DARK if theme == "dark" else LIGHT)["surface"]

"""The colors of grades and the windows of CT pictures, for everything a person sees.

Pages, figures, DICOM pictures and pages of thumbnails take them from here, so that one color means
one thing.
"""

from __future__ import annotations

from types import MappingProxyType

BONE_WINDOW_HU = (-500.0, 1300.0)

# Blue-grey, yellow, orange, vermilion: distinct in hue for every common color vision
# deficiency and in lightness (CIE L* 74, 88, 70, 47) in print.
GRADE_COLORS = MappingProxyType(
    {"G0": "#a9b8c5", "G1": "#f3df6b", "G2": "#f0982d", "G3": "#cc3a1b"}
)
UNGRADED_COLOR = "#6b7680"
OTHER_COLOR = "#6f5fa0"
MEASURED_COLOR = "#7ff0c8"


def rgb(color: str) -> tuple[int, int, int]:
    """Return a color as red, green and blue.

    Examples
    --------
    >>> rgb("#f0982d")
    (240, 152, 45)
    """
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue

from itertools import pairwise

from spinexplain.config.palette import GRADE_COLORS, OTHER_COLOR, UNGRADED_COLOR, rgb
from spinexplain.config.tasks import GENANT_GRADES


def lightness(color):
    """CIE L* of an sRGB color."""
    linear = [((v / 255 + 0.055) / 1.055) ** 2.4 if v > 10 else v / 255 / 12.92 for v in rgb(color)]
    y = sum(share * value for share, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 116 * y ** (1 / 3) - 16


def test_every_grade_has_a_color_of_its_own():
    assert tuple(GRADE_COLORS) == GENANT_GRADES
    assert len({*GRADE_COLORS.values(), UNGRADED_COLOR, OTHER_COLOR}) == len(GENANT_GRADES) + 2


def test_neighboring_fractures_differ_in_lightness_too():
    """As gray they must stay distinct in print."""
    fractures = [lightness(GRADE_COLORS[grade]) for grade in ("G1", "G2", "G3")]
    assert all(brighter - darker > 15 for brighter, darker in pairwise(fractures))

"""A set of grades as a reader sees it."""

from spinexplain.findings.grade_set import Departure, GradeSet
from spinexplain.findings.set_words import set_words
from spinexplain.texts.catalogue import load_catalogue


def test_grades_and_coverage_are_named():
    words = set_words(GradeSet(("G1", "G2"), 0.9), load_catalogue())
    assert words == "Grades that fit, at 90 % coverage on phantoms: G1 or G2."


def test_four_grades_say_nothing_and_the_reason_is_named():
    beyond = (Departure("soft_tissue_hu", -61.4, 20.0, 70.0),)
    words = set_words(GradeSet(("G0", "G1", "G2", "G3"), 0.9, beyond), load_catalogue())
    assert words.startswith("No grade can be ruled out")
    assert "soft tissue \N{MINUS SIGN}61 HU (usual 20 to 70)" in words

from spinexplain.anatomy import VertebraLevel
from spinexplain.dicom_out.codes import (
    Code,
    _tables,
    code,
    declare_scheme,
    grade_code,
    names,
    own_code,
    scheme_designator,
)
from spinexplain.dicom_out.statement import SEVERITIES, STATES


def _all():
    tables = {name: table for name, table in _tables().items() if name != "scheme"}
    return [(table, name, code(table, name)) for table in tables for name in tables[table]]


def test_every_code_fits_dicom_and_no_value_says_two_things():
    seen = {}
    for table, name, one in _all():
        assert len(one.value) <= 16, (table, name)
        assert len(one.meaning) <= 64, (table, name)
        assert one.scheme in ("SCT", "DCM", "LN", "UCUM", scheme_designator())
        assert seen.setdefault((one.scheme, one.value), one.meaning) == one.meaning


def test_public_codes_are_those_of_the_dictionary():
    from pydicom.sr.codedict import codes

    known = {}
    for scheme in (codes.SCT, codes.DCM):
        for keyword in scheme.dir():
            one = getattr(scheme, keyword)
            known[one.scheme_designator, one.value] = one.meaning
    unknown = [
        one
        for _, _, one in _all()
        if one.scheme in ("SCT", "DCM") and (one.scheme, one.value) not in known
    ]
    assert {one.meaning for one in unknown} <= {"Wedge-shaped", "Severity"}, unknown
    assert known["SCT", code("level", "L1").value].startswith("L1 ")
    assert known["DCM", "130402"] == "Class activation"


def test_every_word_has_its_code():
    graded = [level.value for level in VertebraLevel if level.is_graded]
    assert sorted(names("level")) == sorted(graded)
    assert names("state") == STATES
    assert names("severity") == SEVERITIES


def test_a_class_that_a_user_trained_gets_a_code_of_its_own():
    assert grade_code("G2") == code("grade", "G2")
    assert grade_code("old / new?") == Code("CALL-OLD-NEW", "99SPINEX", "Class old / new?")
    long = own_code("SCORE", "x" * 90, "y" * 90)
    assert (len(long.value), len(long.meaning)) == (16, 64)
    other = own_code("SCORE", "x" * 89 + "y", "")
    assert other.value != long.value


def test_the_own_scheme_is_declared():
    from pydicom.dataset import Dataset

    dataset = Dataset()
    declare_scheme(dataset)
    item = dataset.CodingSchemeIdentificationSequence[0]
    assert item.CodingSchemeDesignator == scheme_designator()

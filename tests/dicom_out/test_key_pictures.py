import numpy as np

from spinexplain.dicom_out.key_pictures import card_lines, key_pictures
from spinexplain.dicom_out.statement import statement_of


def test_a_map_and_a_card_for_the_suspicious_vertebra(cases):
    findings = cases("HFS").findings
    pictures = key_pictures(findings, statement_of(findings))
    assert len(pictures) == 2
    for picture in pictures:
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50


def test_the_evidence_colors_its_half_of_the_card(cases):
    findings = cases("HFS").findings
    card = key_pictures(findings, statement_of(findings))[1][40:552].astype(int)
    plain, shown = card[:, :512], card[:, 512:]
    colored = [np.ptp(half, axis=2) > 30 for half in (plain, shown)]
    assert colored[0].sum() == 0
    assert colored[1].sum() > 500


def test_the_warning_is_part_of_every_picture(cases):
    """The words at the bottom are amber; nothing else down there is drawn."""
    findings = cases("HFS").findings
    for picture in key_pictures(findings, statement_of(findings)):
        foot = picture[-40:].astype(int)
        assert (foot[..., 0] - foot[..., 2] > 100).sum() > 200


def test_the_figures_of_a_card(cases):
    one = statement_of(cases("HFS").findings).vertebrae[1]
    model, heights = card_lines(one)
    assert model == "Model protoverse-test: G2 (score G0 0.08, G2 0.67, G3 0.25)"
    assert heights == (
        "Heights 18.6 / 25.0 / 27.5 mm (anterior, middle, posterior), loss 31 % (24 to 38 %), "
        "shape wedge"
    )


def test_pictures_are_the_same_each_time(cases):
    findings = cases("HFS").findings
    first, second = (key_pictures(findings, statement_of(findings)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)

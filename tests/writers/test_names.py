import pytest

from writers import names

OWN = {"missed": 0.5, "right": 0.85, "named": 0.875}
KIND = {
    "sections": 90,
    "ways": {
        "before": OWN,
        "seed 0": OWN | {"right": 0.9},
        "now": OWN | {"right": 0.925, "missed": 0.3},
        "distances alone": OWN | {"right": 0.1, "missed": 2.0},
    },
    "gain": [0.2, 0.1, 0.3],
}
LOOK = {
    "scans": 130,
    "refused": {"before": 1, "now": 0},
    "right": {"before": 110, "now": 118},
    "true_names": {"before": -0.5, "now": -0.3},
    "gain": [0.2, 0.05, 0.35],
}
CONTENT = {
    "versions": {"before": "4", "now": "5"},
    "persons": 24,
    "sections": [{"preset": "wide-test", "seed": 8, "kinds": {"short": KIND}}],
    "validation": {"first": LOOK, "all": LOOK | {"scans": 260}},
}


def test_every_network_has_its_row():
    text = "\n".join(names.sections(CONTENT))
    assert "| version 4 | 85.0 % | 87.5 % | 0.500 |" in text
    assert "| seed 0 alone | 90.0 % |" in text
    assert "| mean of both (version 5) | 92.5 % | 87.5 % | 0.300 |" in text
    assert "| none: the distances of the centers | 10.0 % | 87.5 % | 2.000 |" in text
    assert "three to six bodies in view: from version 4 to 5" in text
    assert "gains +0.200 (+0.100 to +0.300) nats" in text


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        (
            0,
            "* Validation, first look, version 4: 110 of 130 scans named rightly, mean "
            "log-probability of the true namings -0.50; 1 scans refused.",
        ),
        (
            2,
            "* Gain in log-probability, first look: +0.200 (+0.050 to +0.350), persons drawn "
            "again.",
        ),
        (
            4,
            "* Validation, extended, version 5: 118 of 260 scans named rightly, mean "
            "log-probability of the true namings -0.30.",
        ),
    ],
)
def test_validation_is_said_version_by_version(at, wanted):
    assert names.validation(CONTENT)[at] == wanted

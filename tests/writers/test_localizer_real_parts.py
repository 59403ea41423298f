import pytest

from writers import localizer_real_parts

FIGURES = {
    "scans": 2, "found": 1.0, "close": 0.875, "named": 0.5, "shifted": 1.0, "right": 0.5,
}  # fmt: skip
OWN = {
    "bodies": 4, "found": 4, "named": 4, "probability": 0.97, "right": True, "refused": False,
}  # fmt: skip


@pytest.fixture
def content():
    ways = {"localizer": FIGURES, "gaps alone": FIGURES | {"named": 0.0}}
    ways["from below"] = FIGURES
    rows = [
        {"scan": "lumbar", **OWN},
        {"scan": "lumbar", **OWN, "named": 0, "right": False},
        {"scan": "thoracic", **OWN, "found": 0, "named": 0, "probability": 0.0, "refused": True}
        | {"right": False},
    ]
    parts = {"length": 4, "figures": {"as it is": ways, "all": ways}, "rows": rows}
    before = parts | {"figures": {key: {"localizer": FIGURES} for key in ("as it is", "all")}}
    return {"before": "3", "real_parts": parts, "real_parts_before": before}


def test_opponents_stand_beside_all_parts_together(content):
    lines = localizer_real_parts.section(content)
    assert (
        "| as it is (2) | the localizer | 100.0 % | 87.5 % | 50.0 % | 100.0 % | 50.0 % |" in lines
    )
    together = [line for line in lines if line.startswith("| all together (2)")]
    assert [line.split(" | ")[1] for line in together] == [
        "the localizer",
        "its version 3",
        "its centers, the lowest called L5",
        "its centers, named by their distances alone",
    ]


def test_each_ct_is_counted_by_itself(content):
    lines = localizer_real_parts.section(content)
    assert lines[-2] == (
        "* lumbar CT, 3 mm: 2 parts, 8 of 8 bodies found, 4 named; 0 parts refused; at .95 or more "
        "1 of 2 namings are wrong. All names are flagged."
    )
    assert "0 of 4 bodies found, 0 named; 1 parts refused" in lines[-1]


def test_an_earlier_version_is_left_out_where_it_was_not_measured(content):
    content["real_parts_before"] = None
    assert not any("its version" in line for line in localizer_real_parts.section(content))


def test_short_parts_are_said_in_words(content):
    words = localizer_real_parts.words(content["real_parts"])
    assert "of 3 parts of 4 levels" in words
    assert "1 have all names right, as 1 have where the lowest body is called L5" in words
    assert "1 is refused; of the 2 with a probability of 0.80" in words
    assert words.endswith("or more 1 are right.")

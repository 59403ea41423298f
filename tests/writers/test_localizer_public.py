from writers import localizer_public

ROW = {
    "scans": 5,
    "bodies": 50,
    "refused": 0,
    "found": 1.0,
    "close": 0.9,
    "named": 0.8,
    "shifted": 0.95,
    "extra": 2.0,
    "right": 0.6,
    "sure": 3,
    "sure_wrong": 1,
}
FIGURES = {
    kind: {
        "places": ROW | {"scans": 7, "bodies": 60},
        "names": {"localizer": ROW, "from below": ROW | {"named": 0.1}},
    }
    for kind in ("whole", "part")
}
CONTENT = {
    "versions": {"localizer": "5", "before": "4"},
    "length": 4,
    "scans": [
        {"name": "a", "collection": "One", "named": True},
        {"name": "b", "collection": "Two", "named": False},
    ],
    "figures": {"localizer": FIGURES, "before": FIGURES},
}


def test_the_sentence_counts_bodies():
    text = localizer_public.words(CONTENT)
    assert "60 of 60 marked bodies are found" in text
    assert "40 of 50 are named rightly in whole scans" in text
    assert "80 % in parts of 4 levels (10 % where" in text


def test_both_versions_and_the_opponents_have_rows():
    lines = localizer_public.section(CONTENT)
    assert lines[0] == "Scans: a (One); b (Two; places alone)."
    table = [line for line in lines if line.startswith("| whole scan (5)")]
    assert [line.split(" | ")[1] for line in table] == [
        "the localizer",
        "its version 4",
        "its centers, the lowest called L5",
    ]
    assert lines[-1] == (
        "* Version 4, part of 4 levels: at .95 or more 1 of 3 namings are wrong; 0 of 5 refused; "
        "2.00 centers a scan that were not marked."
    )

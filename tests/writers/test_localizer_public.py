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
        "names": {"localizer": ROW}
        | dict.fromkeys(("from below", "gaps alone"), ROW | {"named": 0.1})
        | {"one answer": ROW | {"named": 0.2}},
    }
    for kind in ("whole", "part")
}
SCAN = {"bodies": 4, "named": 4, "right": True, "probability": 0.9}
JUDGED = [
    {"name": "a", "kind": "part", "named": True, "judged": SCAN},
    {"name": "a", "kind": "part", "named": True, "judged": SCAN | {"right": False, "named": 1}},
    {"name": "b", "kind": "whole", "named": False, "judged": SCAN | {"named": 0}},
]
CONTENT = {
    "versions": {"localizer": "5", "before": "4"},
    "length": 4,
    "scans": [
        {"name": "a", "collection": "One", "named": True},
        {"name": "b", "collection": "Two", "named": False},
    ],
    "figures": {"localizer": FIGURES, "before": FIGURES},
    "rows": {"localizer": JUDGED, "before": JUDGED},
}


def test_the_sentence_counts_bodies():
    text = localizer_public.words(CONTENT)
    assert "60 of 60 thoracic and lumbar bodies are found within 10 mm in height" in text
    assert "40 of 50 are named rightly in whole scans" in text
    assert "80 % in parts of 4 levels (20 % by the best way that does not look: its" in text
    assert text.endswith("Version 4 named 80 % of these.")


def test_both_versions_and_the_opponents_have_rows():
    lines = localizer_public.section(CONTENT)
    assert lines[0] == "Scans: a (One); b (Two; places alone)."
    table = [line for line in lines if line.startswith("| whole scan (5)")]
    assert [line.split(" | ")[1] for line in table] == [
        "the localizer",
        "its version 4",
        *(localizer_public.WAYS[way] for way in localizer_public.BLIND),
    ]
    assert "* b: the names of the marks are not sure; those of version 5 differ" in lines[-4]
    assert lines[-4].endswith("at 4 of 4 bodies, at a probability of 0.90.")
    assert lines[-2] == "* At 0.80 or more 1 of 2 namings of parts are wrong."
    assert lines[-1].endswith("a 1 of 2 (version 5), 1 of 2 (version 4).")
    assert lines[-5] == (
        "* Version 4, part of 4 levels: at .95 or more 1 of 3 namings are wrong; 0 of 5 refused; "
        "2.00 centers a scan that were not marked."
    )

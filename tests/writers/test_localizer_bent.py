from writers import localizer_bent

ROW = {
    "scans": 48, "bodies": 40, "refused": 0, "found": 0.995, "close": 0.98, "named": 0.91,
    "shifted": 0.97, "extra": 0.25, "right": 0.75, "ece": 0.04, "sure": 30, "sure_wrong": 0,
    "certain": 2, "certain_wrong": 0,
}  # fmt: skip
WAYS = dict.fromkeys((*localizer_bent.SHOWN, "classical"), ROW)
BENT = {
    "persons": 24,
    "whole": 0,
    "preset": "wide-test-2",
    "seed": 11,
    "phantoms": {"crops": WAYS, "all": WAYS},
    "intervals": {
        group: {"named": [0.91, 0.8, 0.95], "off": [0.0] * 3} for group in ("crops", "all")
    },
    "chance": {"crops": [0.04, 0.1], "all": [0.03, 0.08]},
    "scans": [{"right": False, "rare": True, "probability": 0.4, "bodies": 9, "open": 0}],
    "usual": ROW,
}
CONTENT = {
    "version": "3",
    "before": "2.1",
    "preset": "wide-test",
    "earlier": [{"seed": 5, "persons": 7, "phantoms": {}}],
    "bent": BENT,
}


def test_the_other_persons_stand_in_the_same_tables():
    lines = localizer_bent.section(CONTENT)
    assert lines[0].startswith("24 persons of the preset `wide-test-2` (seed 11)")
    assert sum("random part, three bodies or more (48)" in line for line in lines) == 4
    assert not any("no network" in line for line in lines)
    assert not any("seed 5" in line for line in lines)
    assert "* all together: calibration error 0.040 (0.03, at most 0.08" in "\n".join(lines)
    assert "* 1 of the 1 wrong namings, and 0 of the 0 of .95 or more," in "\n".join(lines)
    assert lines[-1].endswith("| met; 30 scans |")

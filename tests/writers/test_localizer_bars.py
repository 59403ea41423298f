from writers.localizer_bars import BARS, table

from writers import localizer_bars

ROW = {
    "scans": 48, "found": 0.995, "close": 0.96, "named": 0.95, "shifted": 0.979, "ece": 0.049,
    "sure": 20, "sure_wrong": 1,
}  # fmt: skip
CONTENT = {
    "persons": 24,
    "version": "3",
    "before": "2.1",
    "phantoms": {"crops": {"localizer": ROW, "before": ROW | {"named": 0.88}}},
    "chance": {"crops": [0.08, 0.13]},
}


def test_every_bar_is_held_against_both_versions():
    lines = table(CONTENT)
    assert len(lines) == 4 + len(BARS)
    assert len({line.count("|") for line in lines[2:]}) == 1
    assert "| bodies found within 10 mm | at least 99 % | 99.5 % | 99.5 % | met |" in lines
    assert "| bodies found within 5 mm | at least 97 % | 96.0 % | 96.0 % | missed |" in lines
    assert "| bodies with their own name | at least 95 % | 88.0 % | 95.0 % | met |" in lines


def test_what_few_scans_cannot_show_is_said():
    text = "\n".join(table(CONTENT))
    assert "met; so few scans give 0.08 even if every probability holds" in text
    assert "| at most 0.02 | 0.050 | 0.050 | missed; 20 scans |" in text


def test_one_version_alone_has_one_column():
    content = CONTENT | {"phantoms": {"crops": {"localizer": ROW}}}
    assert "version 2.1" not in "\n".join(table(content))
    assert localizer_bars.GROUP == "crops"

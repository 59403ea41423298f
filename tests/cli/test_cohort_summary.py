import io

from rich.console import Console

from spinexplain.cli.cohort_summary import print_summary

NONE = {"G0": 0, "G1": 0, "G2": 0, "G3": 0, "x": 0, "not graded": 0}


def left_out(series, level, reason):
    return {"series": series, "level": level, "reason": reason}


def test_print_shows_counts_and_reasons_and_no_markup():
    summary = {
        "vertebrae": 4,
        "series": 3,
        "subjects": 2,
        "by_split": {"training": NONE | {"G0": 3, "G2": 1}},
        "by_level": {"T7": NONE | {"G0": 3}, "L1": NONE | {"G2": 1}},
        "left_out": [
            left_out("a1", "C7", "cervical"),
            left_out("a2", "C7", "cervical"),
            left_out("c1", None, "no CT"),
            left_out("d", None, "[red]/tmp/a\nb[/red]: \x1b[2J broken"),
        ],
        "remarks": ["[link=x]odd[/link]"],
    }
    out = io.StringIO()
    print_summary(summary, Console(file=out, width=100))
    text = out.getvalue()
    assert "4 vertebrae of 3 series, 2 subjects" in text
    assert "left out: 2 vertebrae: cervical" in text
    assert "left out: 1 series: no CT" in text
    assert "[red]/tmp/a?b[/red]" in text
    assert "\x1b" not in text
    assert "note: [link=x]odd[/link]" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["all", "3", "0", "1", "0", "0", "0", "4"] in rows

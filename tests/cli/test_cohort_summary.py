import io

import pandas as pd
from rich.console import Console

from spinexplain.cli.cohort_summary import print_summary
from spinexplain.data.cohort_overview import summarize
from spinexplain.data.plan import LeftOut

INDEX = pd.DataFrame(
    [
        ("a", "a1", "L1", "G2", "training", ["metal"]),
        ("a", "a2", "T7", "G0", "training", []),
        ("a", "a2", "L1", None, "training", ["metal", "fold"]),
        ("b", "b1", "T7", "x", None, []),
    ],
    columns=["subject", "series", "level", "grade", "split", "flags"],
)
LEFT_OUT = [
    LeftOut("c1", None, "no CT"),
    LeftOut("a1", "C7", "cervical"),
    LeftOut("a2", "C7", "cervical"),
]


def test_print_shows_counts_and_reasons_and_no_markup():
    out = io.StringIO()
    hostile = LeftOut("d", None, "[red]/tmp/a\nb[/red]: \x1b[2J broken")
    summary = summarize(INDEX, [*LEFT_OUT, hostile], ["[link=x]odd[/link]"])
    print_summary(summary, Console(file=out, width=100))
    text = out.getvalue()
    assert "4 vertebrae of 3 series, 2 subjects" in text
    assert "left out: 2 vertebrae: cervical" in text
    assert "left out: 1 series: no CT" in text
    assert "[red]/tmp/a?b[/red]" in text
    assert "\x1b" not in text
    assert "note: [link=x]odd[/link]" in text

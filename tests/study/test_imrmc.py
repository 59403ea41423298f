from spinexplain.study.imrmc import imrmc_files
from spinexplain.study.panel import Panel, simulate
from spinexplain.study.tally import tally
from study.conftest import opened


def _parsed(text):
    lines = text.splitlines()
    start = lines.index("BEGIN DATA:")
    head = dict(line.split(": ") for line in lines[1:start])
    rows = [line.split(",") for line in lines[start + 1 :]]
    return head, rows


def test_foils_are_the_negative_cases(written):
    study, key = opened(written(cases=6, foils=4, repeats=2))
    files = imrmc_files(tally(study, key, simulate(study, key, Panel(), 0)))
    head, rows = _parsed(files["imrmc-foils_relevance.txt"])
    assert head == {"NR": "2", "N0": "4", "N1": "6", "NM": "1"}
    truth = [row for row in rows if row[0] == "-1"]
    assert sum(row[3] == "1" for row in truth) == 6
    assert len(rows) == 10 + 2 * 10
    assert all(0 <= float(row[3]) <= 1 for row in rows)
    cases = files["imrmc-foils_relevance_cases.csv"].splitlines()
    assert len(cases) == 11
    assert "sub-0" in cases[1] + cases[2] + cases[3]


def test_reading_has_two_modalities_of_the_same_cases(written):
    study, key = opened(written(unaided=True, cases=6, foils=2, repeats=1))
    files = imrmc_files(tally(study, key, simulate(study, key, Panel(), 0)))
    head, rows = _parsed(files["imrmc-reading.txt"])
    assert head == {"NR": "2", "N0": "2", "N1": "4", "NM": "2"}
    scores = [row for row in rows if row[0] != "-1"]
    assert len({tuple(row[:3]) for row in scores}) == len(scores) == 2 * 2 * 6
    assert {row[2] for row in scores} == {"unaided", "aided"}

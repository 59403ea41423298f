import copy
import json
from pathlib import Path

from writers.verdict_reasons import lines_of

RESULTS = Path(__file__).parents[2] / "docs/results"
FOUND = json.loads((RESULTS / "verdict-reasons.json").read_text("utf-8"))


def test_doubt_stands_first_and_is_not_called_taking_back():
    found = copy.deepcopy(FOUND)
    found["kinds"]["false_alarm"], found["caught"]["false_alarm"] = 9, 3
    found["reasons"] = {"borderline: near_the_line": {**dict.fromkeys(found["kinds"], 2)}}
    lead = lines_of(found)[2]
    assert lead.startswith("**The verdict doubts 2 of the network's 9 false alarms, dismisses 1,")


def test_heights_alone_stand_beside_with_what_they_cost():
    found = copy.deepcopy(FOUND)
    alone = found["opponents"]["heights alone"]
    alone["caught"] = {name: count + 1 for name, count in found["caught"].items()}
    assert "at a higher price.**" in lines_of(found)[4]
    alone["caught"] = dict(found["caught"])
    assert "at no higher price.**" in lines_of(found)[4]
    alone["caught"]["missed"] = 0
    assert "of one kind of mistake.**" in lines_of(found)[4]
    alone["caught"]["false_alarm"] = 0
    assert "**Heights alone catch fewer.**" in lines_of(found)[4]

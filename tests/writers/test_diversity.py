import copy
import json
from pathlib import Path

from writers.diversity import AFTER, verdict

FOUND = json.loads((Path(__file__).parents[2] / "docs/results/diversity.json").read_text("utf-8"))


def test_what_changes_no_more_than_seeds_do_is_negative():
    found = copy.deepcopy(FOUND)
    found["runs"]["lambda-0.3"] = found["runs"]["lambda-0"]
    said = verdict(found)
    assert said.startswith("**Negative: what the diversity term changes after projection")
    assert "is no more than what 3 seeds without it differ by**" in said


def test_what_changes_more_than_seeds_do_is_named():
    found = copy.deepcopy(FOUND)
    for run in found["runs"]["lambda-0.3"].values():
        run.update(dict.fromkeys(AFTER, 0.0), cosine_after=-9.0)
    assert "the cosine after projection by −9." in verdict(found)

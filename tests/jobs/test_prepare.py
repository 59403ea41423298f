import json

from spinexplain.data.cohort import Cohort
from spinexplain.jobs.prepare import PrepareRequest, prepare_to_cohort


def test_the_summary_is_the_one_beside_the_cohort(spines, tmp_path, listener):
    request = PrepareRequest((spines,), spines / "fractures.csv", tmp_path / "cohort")
    summary = prepare_to_cohort(request, listener)
    assert summary == json.loads((tmp_path / "cohort" / "summary.json").read_text())
    assert summary["vertebrae"] == len(Cohort.open(tmp_path / "cohort"))
    assert listener.steps[-1] == ("preparing", 4, 4)

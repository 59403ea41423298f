from pathlib import Path

from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.transfer.study import about, planned
from spinexplain.reproduce.transfer.tasks import evenly

ROOT = Path(__file__).parents[3]


def test_a_plan_names_every_scan_once_below_what_draws_it(tmp_path):
    setting = Setting(ROOT, tmp_path, tmp_path / "results", tmp_path / "images")
    plan = planned(setting, share=0.1)
    tasks = evenly([*plan.groups.values(), plan.real, plan.limits])
    paths = [task.path for task in tasks]
    assert len(set(paths)) == len(paths)
    assert all(path.is_relative_to(tmp_path / "transfer") for path in paths)
    found = about(load_grader("protoverse-phantom"), plan)
    assert found["drawn_by"].startswith("phantoms-")
    assert found["model"]["name"] == "protoverse-phantom"

"""The table of witnesses."""

from spinexplain.analysis.verdict.table import likeliest, witness_table
from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import TASKS
from spinexplain.types import Grading, Vertebra

L1 = Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0))


def test_the_likeliest_fracture_is_that_of_the_mean():
    task = TASKS["g0-g2-g3"]
    found = [Grading(L1, task, (0.8, 0.15, 0.05)), Grading(L1, task, (0.5, 0.1, 0.4))]
    assert likeliest(found, ["G2", "G3"]) == "G3"


def test_every_stored_vertebra_is_a_row(bench_scan, shipped_grader):
    table = witness_table(shipped_grader, [bench_scan.path])
    assert set(table["route"]) == {"labels", "centroids", "both"}
    by_mask = table[table["route"] == "labels"]
    assert by_mask["prototypes"].notna().any()
    assert by_mask["heights"].notna().any()
    assert table[table["route"] == "centroids"]["heights"].notna().any()

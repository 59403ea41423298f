import json
import shutil

import pytest


@pytest.fixture(scope="module")
def dissection(finished_run, tmp_path_factory):
    """A dissection of the finished run, and what was printed."""
    from spinexplain.jobs.dissect import DissectRequest, dissect_to_folder

    run, cohort = finished_run
    out = tmp_path_factory.mktemp("dissected") / "dissection"
    dissect_to_folder(DissectRequest(str(run), cohort, out, top=2, quantile=0.9))
    return out


def _rater(folder, **changes):
    figures = json.loads((folder / "dissection.json").read_text())
    names = [{"unit": 1, "name": "missing top", "meaningful": True, "note": ""}]
    content = {
        "schema": "spinexplain/unit-names/1",
        "key": figures["key"],
        "model": figures["model"]["name"],
        "layer": figures["layer"],
        "rater": "A. Reader",
        "names": names,
    } | changes
    path = folder.parent / f"{content['rater']}.json"
    path.write_text(json.dumps(content))
    return path


def test_the_folder_holds_page_figures_and_pictures(dissection):
    names = {path.name for path in dissection.iterdir()}
    assert {"dissection.json", "dissection.safetensors", "units.csv"} <= names
    assert {"concepts.html", "table2.html"} <= names
    assert len(list((dissection / "collages").iterdir())) == 2
    assert list((dissection / "units").rglob("*_slices.png"))
    figures = json.loads((dissection / "dissection.json").read_text())
    assert figures["quantile"] == 0.9
    assert len(figures["model"]["weights_sha256"]) == 64


def test_run_names_rerun_grade(spinexplain, finished_run, dissection, lumbar, tmp_path):
    """A clinician's way: name a unit, dissect again, grade a scan with the names."""
    run, cohort = finished_run
    folder = tmp_path / "dissection"
    shutil.copytree(dissection, folder)
    ended = spinexplain("names", folder, _rater(folder))
    assert ended.code == 0, ended.err
    assert "1 units named by 1 rater" in ended.out
    assert "missing top" in (folder / "concepts.html").read_text()
    assert "Named by A. Reader" in (folder / "table2.html").read_text()
    again = ("dissect", run, cohort, "-o", folder, "--quantile", 0.9, "--top", 2)
    assert spinexplain(*again).code == 2  # it exists
    ended = spinexplain(*again, "--force")
    assert ended.code == 0, ended.err
    assert "fractured vertebrae" in ended.err  # a small cohort is warned of
    assert "lie in no patient" in ended.err
    assert json.loads((folder / "names.json").read_text())[0]["names"][0]["name"] == "missing top"
    command = f"spinexplain dissect {run.name} {cohort.name} -o dissection --quantile 0.9 --top 2"
    assert command in (folder / "concepts.html").read_text()
    assert spinexplain("names", folder, _rater(folder)).code == 0
    assert command in (folder / "concepts.html").read_text()  # names keep it
    ct, mask = lumbar
    out = tmp_path / "report"
    ended = spinexplain(
        *("grade", ct, "--labels", mask, "--model", run / "bundle", "-o", out),
        *("--dissection", folder, "--all-heatmaps"),
    )
    assert ended.code == 0, ended.err
    result = json.loads((out / "result.json").read_text())
    explained = [v["explanation"] for v in result["vertebrae"] if v["explanation"]]
    assert {found["method"] for found in explained} == {"dissection"}
    evidence = [item for found in explained for item in found["evidence"]]
    assert all({"relevance", "rank", "contrast"} <= set(item["terms"]) for item in evidence)
    assert all((out / item["heatmap"]).exists() for item in evidence)
    assert "--dissection dissection" in (out / "report.html").read_text()


def test_a_rater_with_conflicting_names_changes_nothing(spinexplain, dissection, tmp_path):
    folder = tmp_path / "dissection"
    shutil.copytree(dissection, folder)
    assert spinexplain("names", folder, _rater(folder)).code == 0
    before = (folder / "names.json").read_bytes()
    other = [{"unit": 1, "name": "front", "meaningful": False, "note": ""}]
    good = _rater(folder, rater="B")
    ended = spinexplain("names", folder, good, _rater(folder, names=other))
    assert ended.code == 2
    assert "of unit 1 before" in ended.line
    assert "A. Reader.json" in ended.line
    assert (folder / "names.json").read_bytes() == before
    assert spinexplain("names", folder, _rater(folder, names=other), "--replace").code == 0
    assert spinexplain("names", folder, _rater(folder, key="0" * 64)).code == 2


def test_names_of_another_layer_are_not_dropped_by_force(
    spinexplain, finished_run, dissection, tmp_path, monkeypatch
):
    run, cohort = finished_run
    folder = tmp_path / "dissection"
    shutil.copytree(dissection, folder)
    assert spinexplain("names", folder, _rater(folder)).code == 0
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    passed = "spinexplain.analysis.dissection.dissect.dissect"
    monkeypatch.setattr(passed, lambda *_: pytest.fail("the pass was begun"))
    ended = spinexplain(
        *("dissect", run, cohort, "-o", folder, "--layer", "add_on.3", "--force"),
    )
    assert ended.code == 2
    assert "names of units mean nothing elsewhere" in ended.line
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_wrong_input_in_one_line(spinexplain, finished_run, dissection, other_cohort, tmp_path):
    run, cohort = finished_run
    out = tmp_path / "out"
    for arguments, said in (
        (("--layer", "trunc"), 'no layer "trunc"; expected one of trunk'),
        (("--layer", "last_layer"), "before pooling"),
        (("--split", "test"), 'split "test" is kept'),
        (("--split", "validation"), "no fractured vertebra"),
        (("--quantile", 1.5), "between 0 and 1"),
    ):
        ended = spinexplain("dissect", run, cohort, "-o", out, *arguments)
        assert ended.code == 2
        assert said in ended.line
        assert not out.exists()
    assert spinexplain("dissect", run, tmp_path, "-o", out).code == 2
    assert spinexplain("dissect", tmp_path, cohort, "-o", out).code == 2
    assert spinexplain("names", tmp_path, tmp_path / "none.json").code == 2


def test_a_dissection_of_another_model_is_refused(spinexplain, dissection, lumbar, tmp_path):
    ct, mask = lumbar
    out = tmp_path / "report"
    ended = spinexplain("grade", ct, "--labels", mask, "--dissection", dissection, "-o", out)
    assert ended.code == 2
    assert "Units mean nothing in another network" in ended.line
    assert not out.exists()

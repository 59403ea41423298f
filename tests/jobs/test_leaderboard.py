import shutil
from dataclasses import replace

import numpy as np

from spinexplain.jobs.leaderboard import Collected, leaderboard_of, stored_json
from spinexplain.jobs.score_explanations import score_explanations


def test_a_leaderboard_says_what_it_was_asked_and_what_was_found(scored):
    found = Collected(left_out=[{"model": "m", "explainer": "e", "reason": "none"}])
    content = leaderboard_of(scored.request, found)
    asked = ("cohort", "drawn", "bench_seed", "seed", "steps", "draws")
    assert [content[name] for name in asked] == ["placement", True, 11, 0, 3, 100]
    assert set(content) == set(scored.content)
    assert content["left_out"] == found.left_out
    assert content["rows"] == []


def test_what_cannot_be_read_is_nothing(tmp_path):
    path = tmp_path / "request.json"
    assert stored_json(path) is None
    path.write_text("{")
    assert stored_json(path) is None
    path.write_text("[1]")
    assert stored_json(path) == [1]


def test_given_maps_stand_beside_the_models(scored, tmp_path):
    import nibabel

    from spinexplain.analysis.explanations.pieces import Source, loaded_bench
    from spinexplain.data.cohort import Cohort

    cohort = Cohort.open(scored.request.out / "cohorts" / "placement-2d")
    rows = np.flatnonzero(~cohort.index["healthy_twin"].to_numpy(bool))
    bench = loaded_bench(Source("protoverse-phantom", cohort.path, tuple(rows.tolist())))
    maps = tmp_path / "mine"
    maps.mkdir()
    for name, mask in zip(bench.names, bench.masks["evidence"], strict=True):
        image = nibabel.Nifti1Image(mask[..., None].astype(np.float32), np.eye(4))
        nibabel.save(image, maps / f"{name}.nii.gz")
    out = tmp_path / "copy"
    shutil.copytree(scored.request.out, out)
    found = score_explanations(replace(scored.request, out=out, maps=(maps,)))
    mine = found["rows"][-1]
    assert (mine["model"], mine["explainer"]) == ("given maps", "mine")
    assert mine["placement"]["endplate"]["value"] == 1.0
    assert mine["localization"]["energy_inside"]["value"] == 1.0


def test_what_was_found_goes_into_the_bundle_and_the_report(scored, tmp_path):
    from spinexplain.models.bundle.folder import locate
    from spinexplain.models.bundle.store import load_grader

    bundle, out = tmp_path / "bundle", tmp_path / "copy"
    shipped = load_grader("protoverse-phantom").info
    shutil.copytree(locate("protoverse-phantom"), bundle)
    shutil.copytree(scored.request.out, out)
    (pieces,) = (out / "pieces").iterdir()
    request = replace(scored.request, out=out, models=(str(bundle),), store=True)
    found = score_explanations(request)["reliability"]["protoverse-phantom"]["prototypes"]
    info = load_grader(bundle).info
    told = {one.method: one for one in info.evidence}
    assert set(told) == {"prototypes", "gradcam"}
    assert told["prototypes"].endplate == found["endplate"]["value"]
    assert told["prototypes"].cohort == "placement"
    assert load_grader("protoverse-phantom").info == shipped
    assert info.weights_sha256 == shipped.weights_sha256
    assert list(pieces.parent.iterdir()) == [pieces]  # found again by the same weights

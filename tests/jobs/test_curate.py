import filecmp
import json

from spinexplain.jobs.curate import CurateRequest, curate
from spinexplain.jobs.curation_record import in_words, read_audit, roll_back
from spinexplain.models.bundle.folder import verify

REJECT = {"choice": "not meaningful", "reason": "artifact"}


def request_of(finished_run, decisions, out, **changes):
    return CurateRequest(
        str(finished_run[0]), decisions, out, at="2030-01-01T00:00:00+00:00", **changes
    )


def same_bytes(first, second):
    names = sorted(p.name for p in first.iterdir() if p.is_file())
    assert names == sorted(p.name for p in second.iterdir() if p.is_file())
    return filecmp.cmpfiles(first, second, names, shallow=False)[0] == names


def test_a_curation_and_its_rollback(finished_run, decide, tmp_path):
    """Curated twice and rolled back twice, the bundle has the bytes it had."""
    once, twice = tmp_path / "once", tmp_path / "twice"
    entry = curate(request_of(finished_run, decide({4: REJECT}), once, atlas=False))
    assert [one["fate"] for one in entry["prototypes"]] == ["kept"] * 3 + ["removed"] + ["kept"] * 2
    assert entry["figures"]["before"]["prototypes"]["count"] == 6
    assert entry["figures"]["after"]["prototypes"]["count"] == 5
    assert entry["cohort"]["learned_from"]
    assert any(line.startswith("class-average F1: ") for line in in_words(entry))
    described = json.loads((once / "bundle" / "bundle.json").read_text())
    assert described["training"]["curation"][0]["decisions"][0]["prototype"] == 4
    # The second curation is of the first's model, so its decisions are about that one.
    model = {k: entry["model_after"][k] for k in ("name", "version", "weights_sha256")}
    again = decide({1: REJECT}, "again.json", model=model)
    request = CurateRequest(str(once), again, twice, way="replace", atlas=False)
    assert curate(request)["prototypes"][0]["fate"] == "replaced"
    assert [e["what"] for e in read_audit(twice)] == ["remove", "replace"]
    roll_back(twice, tmp_path / "back")
    assert same_bytes(tmp_path / "back" / "bundle", once / "bundle")
    roll_back(tmp_path / "back", tmp_path / "first")
    assert same_bytes(tmp_path / "first" / "bundle", finished_run[0] / "bundle")
    verify(tmp_path / "first" / "bundle")
    log = read_audit(tmp_path / "first")
    assert [e["what"] for e in log] == ["remove", "replace", "roll back", "roll back"]
    assert log[-1]["model_after"]["version"] == "1"

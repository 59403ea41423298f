import json
import shutil

import pytest

from spinexplain.errors import ModelError
from spinexplain.io.files import sha256_file
from spinexplain.models.bundle.evidence import EVIDENCE_FILE, read_evidence, store_evidence
from spinexplain.models.bundle.folder import locate, verify
from spinexplain.models.bundle.store import load_grader
from spinexplain.types import EvidenceReliability

TOLD = EvidenceReliability("gradcam", "placement", 0.62, 0.5, 0.7, 140, 0.4, 5)


@pytest.fixture
def bundle(tmp_path):
    shutil.copytree(locate("protoverse-phantom"), tmp_path / "bundle")
    return tmp_path / "bundle"


def test_what_is_stored_is_read_and_listed(bundle):
    assert TOLD not in load_grader(bundle).info.evidence
    store_evidence(bundle, [TOLD])
    verify(bundle)
    assert load_grader(bundle).info.evidence == (TOLD,)
    assert EVIDENCE_FILE in json.loads((bundle / "manifest.json").read_text())["sha256"]
    other = EvidenceReliability("occlusion", "placement", 0.5, None, None, 3)
    store_evidence(bundle, [other])
    assert load_grader(bundle).info.evidence == (other,)


def test_of_other_weights_it_is_refused(bundle):
    store_evidence(bundle, [TOLD])
    own = sha256_file(bundle / "model.safetensors")
    assert read_evidence(bundle, own) == (TOLD,)
    with pytest.raises(ModelError, match="other weights"):
        read_evidence(bundle, "0" * 64)


@pytest.mark.parametrize("change", [{"explainers": {"x": {"endplate": 3}}}, {"schema": "old"}])
def test_a_damaged_file_is_refused(bundle, change):
    store_evidence(bundle, [TOLD])
    path = bundle / EVIDENCE_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ModelError, match="damaged"):
        read_evidence(bundle, sha256_file(bundle / "model.safetensors"))


def test_nothing_is_read_where_nothing_is(tmp_path):
    assert read_evidence(tmp_path, "") == ()

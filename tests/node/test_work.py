"""A real series through the real work, with the mailbox in memory."""

import json
import shutil
from contextlib import nullcontext

import pydicom
import pytest
from tests_node_conftest import MemoryMailbox, settings_of

from spinexplain.errors import LabelError
from spinexplain.node.ledger import Entry
from spinexplain.node.mailbox import MailboxError
from spinexplain.node.work import process

ENTRY = Entry("key1", "ref1", "1.2.3", "1.2", "working")


class FolderMailbox(MemoryMailbox):
    """Gives a folder of slices, and a segmentation where there is one."""

    def __init__(self, ct, segmentation=None):
        super().__init__()
        self._ct, self._segmentation = ct, segmentation
        self.fetched = 0

    def fetch(self, reference, folder):
        self.fetched += 1
        return shutil.copytree(self._ct, folder / "ct")

    def segmentations(self, reference, folder):
        return [self._segmentation] if self._segmentation else []


def _loaded():
    from spinexplain.models.bundle.store import load_grader

    return (load_grader("protoverse-phantom"),)


def _stage(_):
    return nullcontext()


@pytest.mark.slow
def test_a_series_with_a_segmentation_is_graded_once_and_delivered(
    tmp_path, ct_series, segmentation_file
):
    mailbox = FolderMailbox(ct_series.folder, segmentation_file)
    settings = settings_of(tmp_path)
    mailbox.broken = True
    with pytest.raises(MailboxError):
        process(ENTRY, mailbox, settings, _loaded, _stage)
    mailbox.broken = False
    outcome = process(ENTRY, mailbox, settings, _loaded, _stage)
    assert mailbox.fetched == 1
    results = tmp_path / "results" / "key1"
    found = pydicom.dcmread(results / "structured-report.dcm")
    assert found.StudyInstanceUID == ct_series.references.study_uid
    assert {"structured-report.dcm", "segmentation.dcm", "report.dcm"} <= set(mailbox.delivered)
    content = json.loads((results / "outcome.json").read_text())
    assert (outcome.urgency, outcome.headline) == (content["urgency"], content["headline"])
    assert (results / "result.json").is_file()
    assert (results / "fhir.json").is_file()
    assert not list((tmp_path / "work").iterdir())


def test_what_a_killed_node_left_is_swept(tmp_path, ct_series):
    for left in ("work/key1abc", "results/.key1-xyz"):
        (tmp_path / left).mkdir(parents=True)
    settings = settings_of(tmp_path, vertebrae={"order": ["segmentation"]})
    with pytest.raises(LabelError):
        process(ENTRY, FolderMailbox(ct_series.folder), settings, _loaded, _stage)
    assert not list((tmp_path / "work").iterdir())
    assert not list((tmp_path / "results").iterdir())


def test_a_series_without_vertebrae_leaves_nothing_behind(tmp_path, ct_series):
    settings = settings_of(tmp_path, vertebrae={"order": ["segmentation"]})
    with pytest.raises(LabelError):
        process(ENTRY, FolderMailbox(ct_series.folder), settings, _loaded, _stage)
    assert not list((tmp_path / "work").iterdir())
    assert not (tmp_path / "results").exists()

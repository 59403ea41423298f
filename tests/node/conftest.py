"""Mailboxes, settings and series for the node's tests."""

from __future__ import annotations

import importlib.util
import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spinexplain.node.ledger import Ledger
from spinexplain.node.log import json_log
from spinexplain.node.mailbox import Arrival, MailboxError
from spinexplain.node.metrics import Metrics
from spinexplain.node.rules import facts_of
from spinexplain.node.service import Node
from spinexplain.node.settings import NodeSettings
from spinexplain.node.work import Outcome


def _series_maker():
    path = Path(__file__).parents[1] / "dicom_out" / "conftest.py"
    spec = importlib.util.spec_from_file_location("dicom_cases", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SERIES = _series_maker()
sys.modules["tests_node_conftest"] = sys.modules[__name__]
UID = "1.2.826.0.1.3680043.8.498"


def facts(series_uid="1.2.3", instances=100, **tags):
    usual = {
        "SeriesInstanceUID": series_uid,
        "StudyInstanceUID": "1.2",
        "Modality": "CT",
        "SliceThickness": "1.5",
        "PatientAge": "070Y",
        "BodyPartExamined": "SPINE",
        "Manufacturer": "Maker",
    }
    return facts_of(usual | tags, instances)


class MemoryMailbox:
    """A mailbox in memory that remembers what was delivered, and can fail on demand."""

    name = "memory"

    def __init__(self, arrivals=()):
        self.waiting = list(arrivals)
        self.delivered = {}
        self.forgotten = []
        self.broken = False

    def arrivals(self, cursor):
        if self.broken:
            raise MailboxError("cut")
        start = int(cursor or 0)
        return self.waiting[start : start + 2], str(min(start + 2, len(self.waiting)))

    def listing(self):
        return self.waiting

    def fetch(self, reference, folder):
        raise NotImplementedError

    def segmentations(self, reference, folder):
        return []

    def deliver(self, files):
        if self.broken:
            raise MailboxError("cut")
        for file in files:
            self.delivered[file.name] = self.delivered.get(file.name, 0) + 1

    def forget(self, reference):
        self.forgotten.append(reference)


@pytest.fixture
def memory():
    """A maker of mailboxes in memory: memory(count, **tags)."""

    def make(count=3, **tags):
        return MemoryMailbox(
            [Arrival(f"ref{i}", facts(f"1.2.{i}", **tags)) for i in range(1, count + 1)]
        )

    return make


def settings_of(folder, **changes):
    content = {
        "mailbox": {"kind": "orthanc", "url": "http://127.0.0.1:1", "poll_seconds": 0.01},
        "state": {"folder": folder, "min_free_gib": 0, "retry_seconds": 0, "attempts": 3},
    }
    for section, values in changes.items():
        content[section] = content.get(section, {}) | values
    return NodeSettings.model_validate(content)


class Lines(list):
    """A log in memory."""

    def write(self, text):
        self.append(json.loads(text))

    def flush(self):
        pass

    def of(self, event):
        return [line for line in self if line["event"] == event]


def toy_process(entry, mailbox, settings, load, stage):
    """Write one result by rename and deliver it, as the real work does."""
    results = settings.state.folder / "results" / entry.key
    if not results.is_dir():
        with (settings.state.folder / "graded.txt").open("a") as stream:
            stream.write(entry.key + "\n")
        part = results.with_name(f"{results.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        (part / f"{entry.key}.dcm").write_text("result")
        part.rename(results)
    mailbox.deliver(sorted(results.glob("*.dcm")))
    return Outcome(2, "L1 fracture suspected, moderate")


@pytest.fixture
def node(tmp_path):
    """A maker of nodes over a mailbox: node(mailbox, process=..., **settings)."""
    opened = []

    def make(mailbox, process=toy_process, folder=tmp_path, **changes):
        lines = Lines()
        settings = settings_of(folder, **changes)
        made = Node(settings, mailbox, Ledger(folder), json_log(lines), Metrics(), process)
        made.lines = lines
        opened.append(made)
        return made

    yield make
    for one in opened:
        one.ledger.close()


@pytest.fixture(scope="session")
def ct_series(tmp_path_factory):
    """A folder of 24 slices of an HFS series with three vertebrae, and its case."""
    folder = tmp_path_factory.mktemp("ct")
    series = SERIES.series_of("HFS", shape=(26, 22, 24), PatientAge="070Y", SliceThickness="3")
    SERIES.write_series(folder, series)
    return SERIES.case_of(folder)


@pytest.fixture(scope="session")
def segmentation_file(ct_series, tmp_path_factory):
    """A segmentation of the vertebrae by somebody else."""
    import pydicom

    from spinexplain.dicom_out.segmentation import segmentation
    from spinexplain.dicom_out.write import DicomResult, context_of

    result = DicomResult(ct_series.findings, ct_series.references, ct_series.labels)
    made = segmentation(context_of(result), ct_series.labels)
    made.Manufacturer = "Somebody"
    made.SeriesInstanceUID = f"{UID}.501"
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = f"{UID}.502"
    path = tmp_path_factory.mktemp("seg") / "seg.dcm"
    made.save_as(path, enforce_file_format=True)
    assert pydicom.dcmread(path).Modality == "SEG"
    return path


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory):
    """The address of a real Orthanc for this session; it answers to this machine alone."""
    import os

    import requests

    program = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
    plugin = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
    if program is None or not plugin.exists():
        reason = "Orthanc is not installed; scripts/apt-deps.sh brings it"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    folder = tmp_path_factory.mktemp("orthanc")
    port, pacs = free_port(), free_port()
    config = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "DicomServerEnabled": False,
        "StableAge": 1,
        "Plugins": [str(plugin)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        "DicomModalities": {"pacs": ["PACS", "127.0.0.1", pacs]},
        "DicomScuTimeout": 5,
    }
    (folder / "orthanc.json").write_text(json.dumps(config))
    log = (folder / "log").open("w")
    running = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                requests.get(f"{url}/system", timeout=1).raise_for_status()
                break
            except requests.RequestException:
                assert running.poll() is None, (folder / "log").read_text()[-500:]
                time.sleep(0.1)
        yield url, pacs
    finally:
        running.terminate()
        running.wait(20)
        log.close()


def emptied(url):
    """Remove everything from an Orthanc."""
    import requests

    for one in requests.get(f"{url}/patients", timeout=10).json():
        requests.delete(f"{url}/patients/{one}", timeout=30).raise_for_status()


def upload(url, files):
    import requests

    for file in files:
        requests.post(f"{url}/instances", data=file.read_bytes(), timeout=30).raise_for_status()


class Pacs:
    """A storage service that keeps what it gets, or refuses it."""

    def __init__(self, port=0, status=0x0000, aet="PACS"):
        from pynetdicom import AE, AllStoragePresentationContexts, evt

        self.status = status
        self.got = []
        ae = AE(ae_title=aet)
        ae.supported_contexts = AllStoragePresentationContexts
        self._server = ae.start_server(
            ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, self._store)]
        )
        self.port = self._server.socket.getsockname()[1]

    def _store(self, event):
        if self.status == 0:
            self.got.append(str(event.dataset.SOPInstanceUID))
        return self.status

    def close(self):
        self._server.shutdown()


@pytest.fixture
def pacs():
    """A maker of PACSs: pacs(port=0, status=0)."""
    made = []

    def make(**words):
        made.append(Pacs(**words))
        return made[-1]

    yield make
    for one in made:
        one.close()

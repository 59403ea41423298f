import importlib.util
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spinexplain.cli import node as module
from spinexplain.cli.main import run
from spinexplain.node.mailbox import Arrival
from spinexplain.node.rules import facts_of
from spinexplain.node.settings import NodeSettings

CONFIG = """
[mailbox]
kind = "scp"
[scp]
allowed_aets = ["SCANNER"]
pacs_host = "127.0.0.1"
pacs_aet = "PACS"
port = {port}
[state]
folder = "{folder}"
min_free_gib = 0
"""


def _config(tmp_path, text):
    path = tmp_path / "node.toml"
    path.write_text(text)
    return path


def test_a_dry_run_explains_each_series():
    settings = NodeSettings.model_validate(
        {"mailbox": {"kind": "orthanc", "url": "http://h"}, "state": {"folder": "/x"}}
    )
    tags = {"Modality": "CT", "SliceThickness": "5", "PatientAge": "040Y", "PatientName": "DOE"}
    text = module.explained(Arrival("ref", facts_of(tags, 60)), settings)
    assert text.splitlines()[0].endswith(": left out")
    assert "  NO  thickness: slices of 5 mm, expected at most 3 mm" in text
    assert "  NO  age: age 40, expected at least 50" in text
    assert "  yes instances: 60 instances, expected at least 20" in text
    assert "DOE" not in text


def test_a_dry_run_over_an_empty_spool(tmp_path, capsys):
    config = _config(tmp_path, CONFIG.format(port=0, folder=tmp_path / "state"))
    run(["node", str(config), "--dry-run"])
    assert capsys.readouterr().out == "0 CT series; nothing was graded.\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind = 1", "mailbox"),
        (
            '[mailbox]\nkind = "orthanc"\nurl = "http://127.0.0.1:9"\n[state]\nfolder = "/x"\n',
            "does not answer",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, capsys, text, words):
    with pytest.raises(SystemExit) as ended:
        run(["node", str(_config(tmp_path, text)), "--dry-run"])
    assert ended.value.code == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert words in lines[0]


def test_a_missing_package_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(SystemExit):
        run(["node", str(tmp_path / "node.toml")])
    assert "pip install 'spinexplain[node]'" in capsys.readouterr().err


def test_it_ends_with_a_signal(tmp_path):
    config = _config(tmp_path, CONFIG.format(port=0, folder=tmp_path / "state"))
    words = [sys.executable, "-m", "spinexplain.cli.main", "node", str(config)]
    source = str(Path(importlib.util.find_spec("spinexplain").origin).parents[1])
    child = subprocess.Popen(
        words, stderr=subprocess.PIPE, text=True, env={"PYTHONPATH": source, "PATH": ""}
    )
    assert '"event": "ready"' in child.stderr.readline()
    time.sleep(0.1)
    child.send_signal(signal.SIGTERM)
    assert '"event": "stopped"' in child.stderr.read()
    assert child.wait() == 0

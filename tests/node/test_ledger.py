import subprocess
import sys
import time

import pytest

from spinexplain.node.ledger import Entry, Ledger, entry_key


def _entries(count, state="queued"):
    return [Entry(f"k{i}", f"ref{i}", f"1.{i}", "1", state) for i in range(count)]


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path)
    yield made
    made.close()


def test_rows_and_cursor_change_together(ledger):
    assert ledger.cursor("box") == ""
    new = ledger.admit("box", "7", _entries(2))
    assert [one.key for one in new] == ["k0", "k1"]
    assert ledger.cursor("box") == "7"
    assert ledger.admit("box", "8", _entries(3)) == _entries(3)[2:]


def test_a_failed_admission_changes_nothing(ledger):
    def broken():
        yield _entries(1)[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        ledger.admit("box", "7", broken())
    assert ledger.cursor("box") == ""
    assert ledger.counts()["queued"] == 0


def test_each_series_is_claimed_once_and_in_order(ledger, tmp_path):
    other = Ledger(tmp_path)
    ledger.admit("box", "1", _entries(3))
    claimed = [ledger.claim(), other.claim(), ledger.claim(), other.claim()]
    assert [one.key for one in claimed[:3]] == ["k0", "k1", "k2"]
    assert claimed[3] is None
    other.close()


def test_a_closed_owner_gives_back_what_it_holds(ledger, tmp_path):
    other = Ledger(tmp_path)
    ledger.admit("box", "1", _entries(1))
    assert other.claim().attempts == 1
    assert ledger.claim() is None
    other.close()
    assert ledger.claim().attempts == 2


def test_a_killed_owner_is_taken_over(ledger, tmp_path):
    ledger.admit("box", "1", _entries(1))
    code = (
        "import os, sys, time\nfrom pathlib import Path\n"
        "from spinexplain.node.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]))\nprint(ledger.claim().key, flush=True)\n"
        "time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout.readline().strip() == b"k0"
    assert ledger.claim() is None
    child.kill()
    child.wait()
    assert ledger.claim().key == "k0"


def test_a_postponed_series_waits(ledger):
    ledger.admit("box", "1", _entries(1))
    ledger.claim()
    ledger.postpone("k0", "cut", 1000)
    assert ledger.claim() is None
    ledger.postpone("k0", "cut", 0)
    assert ledger.claim().reason == "cut"


def test_the_most_urgent_come_first(ledger):
    ledger.admit("box", "1", _entries(3))
    for key, urgency in (("k0", 0), ("k1", 3), ("k2", 1)):
        ledger.finish(key, "done", urgency=urgency)
    assert [one.key for one in ledger.entries("done")] == ["k1", "k2", "k0"]
    assert ledger.entries("done", since=time.time() + 10) == []
    assert ledger.counts()["done"] == 3
    assert (ledger.state_of("k0"), ledger.state_of("none")) == ("done", "")


def test_keys_hide_the_uid():
    key = entry_key("1.2.840.1", 100)
    assert len(key) == 16
    assert "840" not in key or key.isalnum()
    assert key != entry_key("1.2.840.1", 101)

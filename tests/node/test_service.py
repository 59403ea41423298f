"""Each scan graded once, none lost: whatever breaks, wherever."""

import json
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from threading import Event

import pytest

from spinexplain.errors import ConfigError, GeometryError, OutputError
from spinexplain.node import service as module
from spinexplain.node.ledger import Ledger
from spinexplain.node.mailbox import Arrival, MailboxError
from spinexplain.node.work import Outcome


class Killed(BaseException):
    """Stands for ``kill -9``: nothing catches it."""


def _graded(folder):
    path = Path(folder) / "graded.txt"
    return path.read_text().split() if path.exists() else []


def test_every_series_is_graded_once(node, memory, tmp_path):
    mailbox = memory(5)
    node(mailbox).run(Event(), once=True)
    assert len(mailbox.delivered) == 5
    assert set(mailbox.delivered.values()) == {1}
    assert len(_graded(tmp_path)) == 5
    assert mailbox.forgotten == [f"ref{i}" for i in range(1, 6)]
    assert not list((tmp_path / "results").iterdir())


def test_what_the_rules_refuse_is_never_graded(node, memory, tmp_path):
    mailbox = memory(2, SliceThickness="5")
    one = node(mailbox)
    one.run(Event(), once=True)
    assert not mailbox.delivered
    assert one.ledger.counts()["refused"] == 2
    value = one.metrics.registry.get_sample_value
    assert value("spinexplain_refused_total", {"reason": "thickness"}) == 2
    assert one.lines.of("arrived")[0]["reason"] == "thickness"


CRASH_POINTS = ["before", "half-written", "written", "delivered", "finish", "worklist", "forget"]


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_a_kill_at_any_step_loses_nothing_and_stores_nothing_twice(
    node, memory, tmp_path, monkeypatch, point
):
    """The first run dies at ``point``; a fresh node on the same folder finishes."""
    from tests_node_conftest import toy_process

    mailbox = memory(3)

    def dying(entry, mailbox, settings, load, stage):
        if point == "before":
            raise Killed
        if point == "half-written":
            (settings.state.folder / "results").mkdir(exist_ok=True)
            (settings.state.folder / "results" / f"{entry.key}.part").mkdir()
            raise Killed
        if point == "written":
            mailbox.broken = True
            with pytest.raises(MailboxError):
                toy_process(entry, mailbox, settings, load, stage)
            mailbox.broken = False
            raise Killed
        outcome = toy_process(entry, mailbox, settings, load, stage)
        if point == "delivered":
            raise Killed
        return outcome

    first = node(mailbox, process=dying)
    for name, step in (("finish", "_done"), ("worklist", "_write_worklist")):
        if point == name:
            monkeypatch.setattr(module.Node, step, _raise)
    if point == "forget":
        monkeypatch.setattr(mailbox, "forget", _raise)
    with pytest.raises(Killed):
        first.run(Event(), once=True)
    monkeypatch.undo()
    first.ledger._lock.close()  # as the operating system does with a dead process
    node(mailbox).run(Event(), once=True)
    assert sorted(mailbox.delivered) == sorted({f"{key}.dcm" for key in _graded(tmp_path)})
    assert len(mailbox.delivered) == 3
    assert len(_graded(tmp_path)) == 3
    ledger = Ledger(tmp_path)
    assert ledger.counts()["done"] == 3
    ledger.close()


def _raise(*_):
    raise Killed


def test_a_kill_between_look_and_write_is_looked_at_again(node, memory, monkeypatch):
    mailbox = memory(3)
    first = node(mailbox)
    monkeypatch.setattr(Ledger, "admit", _raise)
    with pytest.raises(Killed):
        first.look()
    monkeypatch.undo()
    node(mailbox).run(Event(), once=True)
    assert len(mailbox.delivered) == 3


def test_a_cut_network_is_waited_for(node, memory):
    mailbox = memory(2)
    one = node(mailbox, state={"attempts": 50})
    one.look()
    mailbox.broken = True
    for _ in range(5):
        assert one.look() == 0
        one.work()
    assert not mailbox.delivered
    assert one.status()["mailbox"] == "unreachable"
    assert not one.status()["ok"]
    assert len(one.lines.of("mailbox_unreachable")) == 1
    mailbox.broken = False
    one.run(Event(), once=True)
    assert set(mailbox.delivered.values()) == {1}
    assert len(mailbox.delivered) == 2
    assert one.status()["ok"]


def test_a_pacs_that_always_refuses_ends_in_the_dead_letters(node, memory, tmp_path):
    mailbox = memory(1)
    one = node(mailbox)
    one.look()
    mailbox.broken = True
    for _ in range(5):
        one.work()
    assert one.ledger.counts()["dead"] == 1
    (folder,) = (tmp_path / "dead").iterdir()
    letter = json.loads((folder / "reason.json").read_text())
    assert letter["reason"] == "MailboxError"
    assert letter["attempts"] == 3
    assert list((folder / "results").glob("*.dcm"))
    assert len(_graded(tmp_path)) == 1


def test_a_poisonous_series_does_not_stop_the_others(node, memory, tmp_path):
    from tests_node_conftest import toy_process

    def poisoned(entry, *more):
        if entry.reference == "ref1":
            raise ZeroDivisionError
        return toy_process(entry, *more)

    mailbox = memory(3)
    one = node(mailbox, process=poisoned)
    one.run(Event(), once=True)
    assert one.ledger.counts() | {"done": 2, "dead": 1} == one.ledger.counts()
    assert one.ledger.entries("dead")[0].reason == "ZeroDivisionError"


def test_a_series_that_kills_its_node_is_given_up(node, memory, tmp_path):
    mailbox = memory(1)
    for _ in range(3):
        one = node(mailbox, process=_raise)
        one.look()
        with pytest.raises(Killed):
            one.work()
        one.ledger._lock.close()
    last = node(mailbox)
    last.run(Event(), once=True)
    assert last.ledger.counts()["dead"] == 1
    assert not mailbox.delivered


def test_bad_input_is_refused_at_once_with_a_letter(node, memory, tmp_path):
    def bad(*_):
        raise GeometryError("slices are missing")

    one = node(memory(1), process=bad)
    one.run(Event(), once=True)
    assert one.ledger.entries("refused")[0].reason == "GeometryError"
    (letter,) = (tmp_path / "dead").glob("*/reason.json")
    assert json.loads(letter.read_text())["words"] == "slices are missing"
    assert one.ledger.entries("refused")[0].attempts == 1


def test_duplicates_are_graded_once(node, memory, tmp_path):
    mailbox = memory(2)
    mailbox.waiting *= 3
    one = node(mailbox)
    one.run(Event(), once=True)
    assert len(_graded(tmp_path)) == 2
    assert set(mailbox.delivered.values()) == {1}


def test_a_series_that_grew_is_graded_again(node, memory, tmp_path):
    from tests_node_conftest import facts

    mailbox = memory(1)
    mailbox.waiting.append(Arrival("ref1", facts("1.2.1", instances=120)))
    node(mailbox).run(Event(), once=True)
    assert len(_graded(tmp_path)) == 2


def test_two_nodes_on_one_mailbox(node, memory, tmp_path):
    mailbox = memory(6)
    first, second = node(mailbox), node(mailbox)
    for _ in range(8):
        for one in (first, second):
            one.look()
            one.work()
    assert len(_graded(tmp_path)) == 6
    assert set(mailbox.delivered.values()) == {1}
    assert first.lines.of("graded")
    assert second.lines.of("graded")


def test_nothing_is_taken_while_the_disk_is_short(node, memory):
    mailbox = memory(2)
    one = node(mailbox, state={"min_free_gib": 1e9})
    assert one.look() == 0
    assert one.lines.of("disk_short")
    assert one.status()["disk"] == "short"
    assert not one.ledger.entries("queued")


def test_the_worklist_has_the_most_urgent_first(node, memory, tmp_path):
    def graded(entry, *_):
        return Outcome(int(entry.reference[-1]), entry.reference)

    node(memory(3), process=graded).run(Event(), once=True)
    rows = json.loads((tmp_path / "worklist.json").read_text())
    assert [row["urgency"] for row in rows] == [3, 2, 1]
    assert set(rows[0]) == {"study_uid", "series_uid", "urgency", "headline"}


def test_a_port_and_a_folder_that_cannot_be_had_are_named(tmp_path):
    from tests_node_conftest import Lines, settings_of

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = settings_of(tmp_path, health={"port": taken.getsockname()[1]})
        with (
            pytest.raises(ConfigError, match=r"health: .* cannot be listened on"),
            module.opened_node(settings, Lines().append),
        ):
            pass
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match="cannot be written"),
        module.opened_node(settings_of(tmp_path / "file" / "state"), Lines().append),
    ):
        pass


def test_the_log_names_nobody(node, memory):
    one = node(memory(2))
    one.run(Event(), once=True)
    text = json.dumps(one.lines)
    assert "1.2.1" not in text
    assert "ref1" not in text


KILLED_NODE = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from threading import Event
    sys.path.insert(0, sys.argv[2])
    import importlib.util
    spec = importlib.util.spec_from_file_location("tests_node_conftest", sys.argv[3])
    c = importlib.util.module_from_spec(spec); sys.modules[spec.name] = c
    spec.loader.exec_module(c)
    from spinexplain.node.service import Node
    folder = Path(sys.argv[1])

    class DiskMailbox(c.MemoryMailbox):
        def deliver(self, files):
            for file in files:
                time.sleep(0.004)
                (folder / "delivered").mkdir(exist_ok=True)
                (folder / "delivered" / file.name).write_text("x")

    def slow(entry, *more):
        time.sleep(0.01)
        return c.toy_process(entry, *more)

    mailbox = DiskMailbox([c.Arrival(f"r{i}", c.facts(f"1.2.{i}")) for i in range(40)])
    settings = c.settings_of(folder, state={"attempts": 1000})
    node = Node(settings, mailbox, c.Ledger(folder), c.json_log(c.Lines()), c.Metrics(), slow)
    print("ready", flush=True)
    node.run(Event(), once=True)
    print("finished", flush=True)
    """
)


@pytest.mark.slow
def test_kill_nine_at_random_moments(tmp_path):
    """Real processes, really killed; at the end each of 40 series is graded and stored once."""
    import random
    import time

    source = str(Path(module.__file__).parents[2])
    conftest = str(Path(__file__).parent / "conftest.py")
    words = [sys.executable, "-c", KILLED_NODE, str(tmp_path), source, conftest]
    random_ms = random.Random(0)
    for attempt in range(5):
        child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "ready\n"
        if attempt < 4:
            time.sleep(random_ms.uniform(0.01, 0.3))
            child.kill()
        child.wait()
    ledger = Ledger(tmp_path)
    assert ledger.counts()["done"] == 40
    ledger.close()
    assert len(list((tmp_path / "delivered").iterdir())) == 40
    graded = _graded(tmp_path)
    assert len(set(graded)) == 40
    assert len(graded) <= 40 + 4  # one may be cut between its line and its rename, a kill

"""The node's loop: look for series, grade one, write down how it ended, again."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

from spinexplain.errors import ConfigError, LocalizerError, SpinexplainError
from spinexplain.io.files import atomic_file, kept_folder
from spinexplain.node.ledger import Entry, Ledger, entry_key
from spinexplain.node.log import Log
from spinexplain.node.mailbox import Arrival, Mailbox, MailboxError
from spinexplain.node.metrics import Metrics
from spinexplain.node.rules import checks, refusal
from spinexplain.node.settings import NodeSettings
from spinexplain.node.work import Loader, Outcome, Stage, process

if TYPE_CHECKING:
    from spinexplain.models.grader import Grader
    from spinexplain.node.health import HealthServer

_GIB = 2**30
_WORKLIST_S = 7 * 86400.0
Process = Callable[[Entry, Mailbox, NodeSettings, Loader, Stage], Outcome]


@dataclass(eq=False)
class Node:
    """A running node.

    Parameters
    ----------
    settings : NodeSettings
    mailbox : Mailbox
    ledger : Ledger
    log : Log
    metrics : Metrics
    process : callable
        What is done with one series.
    """

    settings: NodeSettings
    mailbox: Mailbox
    ledger: Ledger
    log: Log
    metrics: Metrics
    process: Process = process
    reachable: bool = True
    _models: tuple[Grader, ...] = field(default=(), repr=False)

    def look(self) -> int:
        """Take in what the mailbox has; return how many series are new.

        Nothing is taken while the disk is short or the mailbox does not answer.
        """
        if not self.has_room():
            self.log("disk_short", free_gib=self._free_bytes() / _GIB)
            return 0
        cursor = self.ledger.cursor(self.mailbox.name)
        try:
            arrivals, after = self.mailbox.arrivals(cursor)
        except MailboxError as error:
            self._unreachable(error)
            return 0
        self.reachable = True
        entries = [self._entry(arrival) for arrival in arrivals]
        if not entries and after == cursor:
            return 0
        new = self.ledger.admit(self.mailbox.name, after, entries)
        for one in new:
            if one.reason == "own_result":
                continue  # every result comes by once; it is no news
            self.log("arrived", key=one.key, state=one.state, reason=one.reason)
            if one.state == "refused":
                self.metrics.refused(one.reason)
        self._forget_known(entries)
        # A page without news still moves the cursor: there may be more behind it.
        return max(len(new), int(after != cursor))

    def work(self) -> bool:
        """Grade the oldest series that is due; return whether there was one."""
        entry = self.ledger.claim()
        if entry is None:
            return False
        if entry.attempts > self.settings.state.attempts:
            self._bury(entry, entry.reason or "crashed")
            return True
        self.log("started", key=entry.key, attempt=entry.attempts)
        started = time.perf_counter()
        try:
            outcome = self.process(
                entry, self.mailbox, self.settings, self._load, self.metrics.stage
            )
        except (MailboxError, LocalizerError, OSError, MemoryError) as error:
            self._again(entry, error)
        except SpinexplainError as error:
            self._refuse(entry, error)
        except Exception as error:  # a fault of ours must not stop the node
            self._again(entry, error)
        else:
            self._done(entry, outcome, time.perf_counter() - started)
        return True

    def run(self, stop: Event, once: bool = False) -> None:
        """Look and work until ``stop`` is set, or until two looks in a row find nothing to do."""
        idle = 0
        while not stop.is_set():
            news = self.look()
            worked = self.work()
            idle = 0 if news or worked else idle + 1
            if once and idle == 2:
                return
            if idle:
                stop.wait(self.settings.mailbox.poll_seconds)

    def status(self) -> dict[str, Any]:
        """Return what ``/health`` shows, and bring the gauges up to date."""
        counts = self.ledger.counts()
        free = self._free_bytes()
        self.metrics.observe(counts, free)
        room = self.has_room()
        return {
            "ok": room and self.reachable,
            "disk": "ok" if room else "short",
            "mailbox": "ok" if self.reachable else "unreachable",
            "series": counts,
        }

    def has_room(self) -> bool:
        """Whether the disk takes more series."""
        return self._free_bytes() >= self.settings.state.min_free_gib * _GIB

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self.settings.state.folder).free

    def _entry(self, arrival: Arrival) -> Entry:
        facts = arrival.facts
        reason = refusal(checks(facts, self.settings.rules))
        return Entry(
            key=entry_key(facts.series_uid, facts.instances),
            reference=arrival.reference,
            series_uid=facts.series_uid,
            study_uid=facts.study_uid,
            state="refused" if reason else "queued",
            reason=reason,
        )

    def _forget_known(self, entries: list[Entry]) -> None:
        """Let go of what is refused, and of what was sent again after it was done."""
        for one in entries:
            if self.ledger.state_of(one.key) in ("done", "refused"):
                self.mailbox.forget(one.reference)

    def _load(self) -> tuple[Grader, ...]:
        if not self._models:
            from spinexplain.models.bundle.store import load_grader

            with self.metrics.stage("load model"):
                self._models = tuple(
                    load_grader(name, self.settings.device) for name in self.settings.models
                )
        return self._models

    def _done(self, entry: Entry, outcome: Outcome, seconds: float) -> None:
        self.ledger.finish(entry.key, "done", urgency=outcome.urgency, headline=outcome.headline)
        self.metrics.graded()
        self.log("graded", key=entry.key, seconds=seconds, urgency=outcome.urgency)
        self._write_worklist()
        self.mailbox.forget(entry.reference)
        if not self.settings.state.keep_results:
            shutil.rmtree(self._results(entry), ignore_errors=True)

    def _again(self, entry: Entry, error: BaseException) -> None:
        why = type(error).__name__
        self.metrics.failed(why)
        if entry.attempts >= self.settings.state.attempts:
            self._bury(entry, why, str(error) if isinstance(error, MailboxError) else "")
            return
        wait = self.settings.state.retry_seconds * 2 ** (entry.attempts - 1)
        self.ledger.postpone(entry.key, why, wait)
        self.log("postponed", key=entry.key, why=why, seconds=float(wait))

    def _refuse(self, entry: Entry, error: SpinexplainError) -> None:
        reason = type(error).__name__
        self._write_letter(entry, reason, str(error))
        self.ledger.finish(entry.key, "refused", reason)
        self.metrics.refused(reason)
        self.log("refused", key=entry.key, reason=reason)

    def _bury(self, entry: Entry, reason: str, words: str = "") -> None:
        self._write_letter(entry, reason, words)
        self.ledger.finish(entry.key, "dead", reason)
        self.metrics.refused("dead")
        self.log("dead", key=entry.key, reason=reason, attempt=entry.attempts)

    def _write_letter(self, entry: Entry, reason: str, words: str) -> None:
        """Keep what a person needs to look into it; results that could not be sent stay there."""
        folder = self.settings.state.folder / "dead" / entry.key
        folder.mkdir(parents=True, exist_ok=True)
        letter = {
            "series_uid": entry.series_uid,
            "study_uid": entry.study_uid,
            "reason": reason,
            "words": words,
            "attempts": entry.attempts,
        }
        with atomic_file(folder / "reason.json") as temporary:
            temporary.write_text(json.dumps(letter, indent=1), encoding="utf-8")
        results = self._results(entry)
        if results.is_dir() and not (folder / "results").exists():
            results.rename(folder / "results")

    def _results(self, entry: Entry) -> Any:
        return self.settings.state.folder / "results" / entry.key

    def _write_worklist(self) -> None:
        """Write what was graded, the most urgent first; no more of a patient than UIDs."""
        rows = [
            {
                "study_uid": one.study_uid,
                "series_uid": one.series_uid,
                "urgency": one.urgency,
                "headline": one.headline,
            }
            for one in self.ledger.entries("done", since=time.time() - _WORKLIST_S)
        ]
        with atomic_file(self.settings.state.folder / "worklist.json") as temporary:
            temporary.write_text(json.dumps(rows, indent=1), encoding="utf-8")

    def _unreachable(self, error: MailboxError) -> None:
        if self.reachable:
            self.log("mailbox_unreachable", why=type(error).__name__)
        self.reachable = False
        self.metrics.failed("mailbox")


def _health(settings: NodeSettings, node: Node) -> HealthServer:
    from spinexplain.node.health import HealthServer

    host, port = settings.health.host, settings.health.port
    try:
        return HealthServer(host, port, node.status, node.metrics.registry)
    except OSError as error:
        raise ConfigError(
            f"health: {host} port {port} cannot be listened on ({error.strerror}); expected a "
            "free port. Choose another, or stop who holds it."
        ) from None


@contextmanager
def opened_node(settings: NodeSettings, log: Log) -> Iterator[Node]:
    """Open mailbox, ledger and health server of a node; close them at the end."""
    from spinexplain.node.doors import open_mailbox

    kept_folder(settings.state.folder, 0o700)  # it holds images
    ledger = Ledger(settings.state.folder)
    room = settings.state.min_free_gib * _GIB
    try:
        with open_mailbox(
            settings, lambda: shutil.disk_usage(settings.state.folder).free >= room
        ) as mailbox:
            node = Node(settings, mailbox, ledger, log, Metrics())
            server = None
            if settings.health.port:
                server = _health(settings, node)
            try:
                yield node
            finally:
                if server is not None:
                    server.close()
    finally:
        ledger.close()

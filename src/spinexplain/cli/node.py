"""``spinexplain node``: grade what comes into an archive."""

from __future__ import annotations

import signal
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from spinexplain.errors import ConfigError

if TYPE_CHECKING:
    from spinexplain.node.mailbox import Arrival
    from spinexplain.node.settings import NodeSettings

_NEEDED = ("requests", "prometheus_client", "pynetdicom", "dicomweb_client", "highdicom")


def command(
    config: Annotated[Path, typer.Argument(help="TOML file; see docs/how-to/pacs.md.")],
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say for every CT series whether it is taken, and why."),
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Stop when nothing is left to do.")] = False,
) -> None:
    """Grade CT series of an archive as they come, and store the results back.

    Writes one JSON object a line to standard error, without patient data.

    Example: spinexplain node /etc/spinexplain/node.toml
    """
    for package in _NEEDED:
        if find_spec(package) is None:
            raise ConfigError(
                f"the node needs {package}, which is not installed. "
                "Run: pip install 'spinexplain[node]'."
            )
    from spinexplain.node.settings import read_settings

    settings = read_settings(config)
    if dry_run:
        show_rules(settings)
    else:
        serve(settings, once)


def serve(settings: NodeSettings, once: bool) -> None:
    """Run a node until a signal ends it."""
    from spinexplain.node.log import json_log
    from spinexplain.node.service import opened_node

    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log = json_log()
    with opened_node(settings, log) as node:
        log("ready", count=node.ledger.counts()["queued"])
        node.run(stop, once=once)
        log("stopped")


def show_rules(settings: NodeSettings) -> None:
    """Print, for every CT series of the mailbox, each rule with what it found."""
    from spinexplain.node.doors import open_mailbox
    from spinexplain.node.mailbox import MailboxError

    try:
        with open_mailbox(settings, lambda: True) as mailbox:
            arrivals = mailbox.listing()
    except MailboxError as error:
        raise ConfigError(
            f"mailbox: {error}; expected a server that answers. Check url, user and password."
        ) from None
    for arrival in arrivals:
        typer.echo(explained(arrival, settings))
    typer.echo(f"{len(arrivals)} CT series; nothing was graded.")


def explained(arrival: Arrival, settings: NodeSettings) -> str:
    """Say whether a series would be taken, with every rule on a line of its own."""
    from spinexplain.node.ledger import entry_key
    from spinexplain.node.rules import checks, refusal

    facts = arrival.facts
    found = checks(facts, settings.rules)
    verdict = "left out" if refusal(found) else "would be graded"
    lines = [f"{entry_key(facts.series_uid, facts.instances)}: {verdict}"]
    lines += [f"  {'yes' if one.passed else 'NO '} {one.rule}: {one.words}" for one in found]
    return "\n".join(lines)

"""The same work on a Ray cluster: one scan a block, actors that load the models once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spinexplain.errors import ConfigError
from spinexplain.jobs.batch.crew import Crew, Work, given_up
from spinexplain.jobs.batch.manifest import ArchiveScan
from spinexplain.jobs.batch.outcome import Outcome, grade_one, outcome_of

_FIELDS = ("labels", "centroids")


def grade_on_ray(
    scans: Sequence[ArchiveScan],
    out: Path,
    load: Callable[[], Sequence[Any]],
    crew: Crew,
    address: str,
    work: Work = grade_one,
) -> Iterator[Outcome]:
    """Grade scans on a Ray cluster.

    Parameters
    ----------
    scans : sequence of ArchiveScan
        With paths that every node of the cluster sees.
    out : Path
        Seen by every node, too.
    load : callable
    crew : Crew
        ``workers`` is the largest number of actors.
    address : str
        Of the cluster; ``"local"`` starts one on this machine.
    work : callable
        Grades one scan.

    Yields
    ------
    Outcome
        Of each scan, after all are done. One that has none when the job ends is ``"crashed"``.

    Raises
    ------
    ConfigError
        If Ray is not installed.

    Notes
    -----
    Ray Data retries a block whose worker dies for ever unless attempts are bounded, and then
    ends the whole job unless errored blocks are allowed. An actor that dies takes the scan that
    waits behind it along, and a scan sent to an actor that is being restarted counts as failed.
    So what has no outcome after the pool is tried again, each scan in a process of its own: a
    scan is given up for what it did itself alone.
    """
    if find_spec("ray") is None:
        raise ConfigError(
            "--address needs Ray, which is not installed. Run: pip install 'spinexplain[scale]'."
        )
    if not scans:
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    ray.init(
        address=None if address == "local" else address,
        include_dashboard=False if address == "local" else None,
        log_to_driver=False,
        ignore_reinit_error=True,
    )
    try:
        _mapped(scans, out, load, crew, work)
        for _ in range(max(crew.attempts - 1, 1)):
            left = [scan for scan in scans if not outcome_of(out, scan.name)]
            _each_alone(left, out, load, work, crew.workers)
    finally:
        ray.shutdown()
    for scan in scans:
        yield outcome_of(out, scan.name) or given_up(scan, out, crew.attempts)


def _mapped(
    scans: Sequence[ArchiveScan],
    out: Path,
    load: Callable[[], Sequence[Any]],
    crew: Crew,
    work: Work,
) -> None:
    import ray.data
    from ray.data import ActorPoolStrategy, DataContext

    DataContext.get_current().max_errored_blocks = -1
    rows = [{"scan": _packed(scan)} for scan in scans]
    blocks = ray.data.from_items(rows, override_num_blocks=len(rows))
    pool = ActorPoolStrategy(min_size=1, max_size=crew.workers, max_tasks_in_flight_per_actor=1)
    actor: Any = _Actor  # its type says a function; a class is what a pool of actors takes
    done = blocks.map(
        actor,
        fn_constructor_args=(str(out), load, work),
        compute=pool,
        num_cpus=0.5,
        ray_remote_args_fn=lambda: {
            "max_restarts": len(rows),
            "max_task_retries": 0,
        },
    )
    for _ in done.iter_rows():
        pass


def _each_alone(
    scans: Sequence[ArchiveScan],
    out: Path,
    load: Callable[[], Sequence[Any]],
    work: Work,
    workers: int,
) -> None:
    """Grade each scan in a process that grades no other, so many at once."""
    import ray

    @ray.remote(num_cpus=0.5, max_calls=1, max_retries=0)
    def alone(scan: dict[str, Any]) -> None:
        _Actor(str(out), load, work)({"scan": scan})

    left, running = list(scans), list[Any]()
    while left or running:
        while left and len(running) < workers:
            running.append(alone.remote(_packed(left.pop(0))))
        done, running = ray.wait(running)
        for one in done:
            with suppress(ray.exceptions.RayError):
                ray.get(one)


class _Actor:
    """Loads the models once and grades what it is given."""

    def __init__(self, out: str, load: Callable[[], Sequence[Any]], work: Work) -> None:
        self._out = Path(out)
        self._work = work
        self._models = load()

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        outcome = self._work(unpacked(row["scan"]), self._out, self._models)
        return {"name": outcome.name, "state": outcome.state}


def _packed(scan: ArchiveScan) -> dict[str, Any]:
    return {name: _plain(value) for name, value in vars(scan).items()}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def unpacked(row: dict[str, Any]) -> ArchiveScan:
    """Turn a row of a block back into a scan."""
    files = {name: Path(row[name]) if row[name] else None for name in _FIELDS}
    return ArchiveScan(**{**row, **files, "ct": Path(row["ct"])})

"""CPU time in interleaved rounds, peak memory in a child process, results as JSON."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).parents[1] / "results"


def cpu_seconds(
    variants: Mapping[str, Callable[[], object]], rounds: Mapping[str, int]
) -> dict[str, float]:
    """Median CPU seconds (all threads) of each variant, run in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(max(rounds.values())):
        for name, run in variants.items():
            if turn < rounds[name]:
                start = time.process_time()
                made = run()
                seconds[name].append(time.process_time() - start)
                del made
    return {name: median(times) for name, times in seconds.items()}


def peak_mib(code: str) -> float:
    """Peak resident memory of ``code`` in a fresh process, MiB, beyond that of its imports.

    The kernel's high-water mark of the process's own memory: ``getrusage`` would start from
    that of this process.
    """
    report = "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
    lines = subprocess.run(
        [sys.executable, "-c", code.replace("# measure", report)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    ).stdout.split()
    return (int(lines[-1]) - int(lines[0])) / 1024


def row(
    name: str,
    value: float,
    reference: float | None = None,
    target: str | None = None,
    unit: str = "CPU s",
) -> dict[str, object]:
    """One line of the page; the ratio is reference / ours."""
    ratio = None if reference is None else round(reference / value, 2)
    rounded = None if reference is None else float(f"{reference:.4g}")
    return {
        "name": name,
        "unit": unit,
        "value": float(f"{value:.4g}"),
        "reference": rounded,
        "ratio": ratio,
        "target": target,
    }


def write(
    name: str, title: str, note: str, rows: list[dict[str, object]], packages: tuple[str, ...] = ()
) -> None:
    """Store one benchmark for the page and print it; ``packages`` took part besides."""
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
        "SimpleITK": version("SimpleITK"),
        "nibabel": version("nibabel"),
        "torch": version("torch").partition("+")[0],
        **{package: version(package) for package in packages},
    }
    result = {"title": title, "note": note, "rows": rows, "machine": machine}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(rows, indent=1))

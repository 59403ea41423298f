"""Run every benchmark, each in its own process, and write docs/benchmarks.md from the results.

``python benchmarks/run.py`` runs all; ``--page`` only rewrites the page; names select some.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "benchmarks.md"
OWN = {"run.py"}

HEAD = """# Benchmarks

This page is written by `make bench` from `benchmarks/results/*.json`; no figure is typed by hand.
CPU seconds (`process_time`, all threads) on shared cores; variants of one table were run in turns
in one process, so ratios mean more than seconds. *Ratio* is reference / ours.
"""


def figure(value: float | None) -> str:
    """Three significant digits, or a dash."""
    return "–" if value is None else f"{value:.3g}"


def missed(row: dict) -> bool:
    """Whether a target such as ">= 4" or "<= 0.05" is missed; by the ratio where there is one."""
    sign, _, bound = str(row.get("target") or "").partition(" ")
    reached = row["value"] if row.get("ratio") is None else row["ratio"]
    if sign not in {">=", "<=", "<"}:
        return False
    return reached < float(bound) if sign == ">=" else reached > float(bound)


def table(result: dict) -> str:
    """One benchmark as a Markdown section."""
    lines = [f"\n## {result['title']}\n", result.get("note", ""), ""]
    lines += ["| what | ours | reference | ratio | target | unit |", "|---|---|---|---|---|---|"]
    for row in result["rows"]:
        cells = [
            row["name"],
            figure(row["value"]),
            figure(row.get("reference")),
            figure(row.get("ratio")),
            f"{row.get('target') or '–'}{' (missed)' if missed(row) else ''}",
            row["unit"],
        ]
        lines.append("| " + " | ".join(cells) + " |")
    machine = ", ".join(f"{key} {value}" for key, value in result["machine"].items())
    return "\n".join([*lines, f"\n*{machine}*", ""])


def main() -> None:
    """Run what was asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="benchmarks to run, without .py; default all")
    parser.add_argument("--page", action="store_true", help="only rewrite the page")
    arguments = parser.parse_args()
    scripts = sorted(path for path in HERE.glob("*.py") if path.name not in OWN)
    if arguments.names:
        scripts = [path for path in scripts if path.stem in arguments.names]
    for script in [] if arguments.page else scripts:
        print(f"running {script.name}", flush=True)
        subprocess.run([sys.executable, str(script)], check=True)
    results = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]
    PAGE.write_text(HEAD + "".join(table(result) for result in results))


if __name__ == "__main__":
    main()

"""Write pages and figures: ``python -m writers [NAME ...] [--results DIR] [--out DIR]``.

Run in the folder docs. Without a name every page is written that stored results are
enough for; without --out in place.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from writers.registry import WRITERS, write

DOCS = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m writers", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(WRITERS))
    parser.add_argument("--results", type=Path, default=DOCS / "results")
    parser.add_argument("--out", type=Path, default=DOCS)
    parser.add_argument("--no-figures", action="store_true", help="only the text")
    options = parser.parse_args()
    if unknown := set(options.names) - set(WRITERS):
        parser.error(f"{', '.join(sorted(unknown))}: expected some of {', '.join(WRITERS)}")
    for name in options.names or [name for name, one in WRITERS.items() if not one.afresh]:
        for path in write(name, options.results, options.out, not options.no_figures):
            print(path)


if __name__ == "__main__":
    main()

"""Train the shipped model whose prototypes know their part: drawn sheets in, bundle out.

    python scripts/train_shipped.py                 # from the former model's trunk
    python scripts/train_shipped.py --fresh-trunk   # the trunk again as well
    python scripts/train_shipped.py --controls      # what it is compared with, instead

An interrupted run is taken up where it stopped.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from spinexplain.cli.progress import shown_steps
from spinexplain.reproduce.prototype_controls import CONTROLS, train_controls
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_prototypes import NAME, train_prototypes

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "reproduce")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--fresh-trunk", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "src/spinexplain/models/shipped" / NAME)
    parser.add_argument("--controls", nargs="*", choices=CONTROLS, metavar="NAME")
    options = parser.parse_args()
    with shown_steps() as progress:
        setting = Setting(
            ROOT, options.work, options.work, options.work, jobs=options.jobs, progress=progress
        )
        if options.controls is None:
            train_prototypes(setting, options.out, options.fresh_trunk)
            print(options.out)
            return
        for folder in train_controls(setting, tuple(options.controls) or CONTROLS).values():
            print(folder)


if __name__ == "__main__":
    main()

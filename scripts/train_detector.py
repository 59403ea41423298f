"""Train the 3-D detector that is shipped with the package, on boxes of phantom scans.

    python scripts/train_detector.py

An interrupted run is taken up where it stopped.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from spinexplain.cli.progress import shown_steps
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_detector import NAME, train_detector

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "reproduce")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "src/spinexplain/models/shipped" / NAME)
    options = parser.parse_args()
    with shown_steps() as progress:
        setting = Setting(
            ROOT, options.work, options.work, options.work, jobs=options.jobs, progress=progress
        )
        train_detector(setting, options.out)
    print(options.out)


if __name__ == "__main__":
    main()

"""Train the localizer that is shipped with the package, on phantoms alone.

    python scripts/train_localizer.py

An interrupted run is taken up where it stopped.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from spinexplain.cli.progress import shown_steps
from spinexplain.localizer.networks import shipped_folder
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_bodies import train_body_network
from spinexplain.reproduce.shipped_localizer import VERSION, train_localizer

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "reproduce")
    parser.add_argument("--out", type=Path, default=shipped_folder())
    options = parser.parse_args()
    with shown_steps() as progress:
        setting = Setting(ROOT, options.work, options.work, options.work, progress=progress)
        train_localizer(setting, options.out)
        train_body_network(setting, options.out, VERSION)
    print(options.out)


if __name__ == "__main__":
    main()

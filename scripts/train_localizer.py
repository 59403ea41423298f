"""Train the localizer that is shipped with the package, on phantoms alone.

    python scripts/train_localizer.py
    python scripts/train_localizer.py --export-only
    python scripts/train_localizer.py --naming-only
    python scripts/train_localizer.py --levels-further --out FOLDER
    python scripts/train_localizer.py --curve-further --out FOLDER
    python scripts/train_localizer.py --bodies-further --out FOLDER
    python scripts/train_localizer.py --names-further --out FOLDER

An interrupted run is taken up where it stopped. At the end the networks are exported for OpenVINO;
``--export-only`` does that alone, to the weights that are there. ``--naming-only`` fits what a
naming's probability says to the networks that are there. ``--levels-further`` trains the levels
network of version 2.1, which has to lie in FOLDER, on, ``--curve-further`` and ``--bodies-further``
those of version 3.1, with what the last part of the whole training does. ``--names-further``
trains the levels network of version 4 on, once for each of two seeds; with ``--seed`` one of the
trainings is run alone, so that both can run side by side before they are put together.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from spinexplain.cli.progress import shown_steps
from spinexplain.localizer.export import export_networks
from spinexplain.localizer.networks import shipped_folder
from spinexplain.reproduce.naming_fit import fit_naming
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_bodies import train_bodies_further, train_body_network
from spinexplain.reproduce.shipped_localizer import (
    CURVE_BEGINS,
    VERSION,
    check_begin,
    train_curve_further,
    train_levels_further,
    train_localizer,
)
from spinexplain.reproduce.shipped_names import NAMES_BEGINS, SEEDS, train_names
from spinexplain.train.engine.processes import is_first_process

ROOT = Path(__file__).resolve().parents[1]


def train(work: Path, out: Path) -> None:
    """Train all three networks and write their weights."""
    with shown_steps() as progress:
        setting = Setting(ROOT, work, work, work, progress=progress)
        train_localizer(setting, out)
        train_names(setting, out, VERSION)
        train_body_network(setting, out, VERSION)


def train_further(options: argparse.Namespace) -> None:
    """Train one network of ``out`` on."""
    with shown_steps() as progress:
        setting = Setting(ROOT, options.work, options.work, options.work, progress=progress)
        if options.further == "levels":
            train_levels_further(setting, options.out, options.processes)
        elif options.further == "curve":
            train_curve_further(setting, options.out)
        elif options.further == "bodies":
            check_begin(options.out, CURVE_BEGINS)
            train_bodies_further(setting, options.out, VERSION)
        else:
            seeds = SEEDS if options.seed is None else [options.seed]
            check_begin(options.out, NAMES_BEGINS)
            train_names(setting, options.out, VERSION, seeds)


def fit_line(work: Path, out: Path) -> None:
    """Fit what a naming's probability says; what that is worth goes to docs/results."""
    with shown_steps() as progress:
        docs = ROOT / "docs"
        setting = Setting(ROOT, work, docs / "results", docs / "images", progress=progress)
        fit_naming(setting, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "reproduce")
    parser.add_argument("--out", type=Path, default=shipped_folder())
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--export-only", action="store_true")
    only.add_argument("--naming-only", action="store_true")
    for name in ("levels", "curve", "bodies", "names"):
        only.add_argument(f"--{name}-further", dest="further", action="store_const", const=name)
    parser.add_argument("--seed", type=int, choices=SEEDS, help="of --names-further")
    parser.add_argument("--processes", type=int, default=1, help="of --levels-further")
    options = parser.parse_args()
    if options.naming_only:
        fit_line(options.work, options.out)
        return
    if options.further:
        train_further(options)
        if not is_first_process() or options.seed is not None:
            return
    elif not options.export_only:
        train(options.work, options.out)
        fit_line(options.work, options.out)
    export_networks(options.out)
    print(options.out)


if __name__ == "__main__":
    main()

"""What writes which page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Writer:
    """Pages of one study, each with what makes its new text of the old one and the results.

    Functions are named ``module:function``, so that one study does not import the others.
    ``figures`` draws from the folder of results into the folder of images; ``afresh`` from
    phantoms, which takes minutes, so that it is only done by name.
    """

    pages: dict[str, str] = field(default_factory=dict)
    figures: str = ""
    afresh: bool = False

    def written(self, page: str, text: str, results: Path) -> str:
        """Return the new text of a page."""
        return named(self.pages[page])(text, results)


WRITERS = {
    "accuracy": Writer({"phantom.md": "accuracy:written"}),
    "densities": Writer({"phantom.md": "densities:written"}, "densities:draw"),
    "gallery": Writer({}, "gallery:draw", afresh=True),
    "receptive-fields": Writer(
        {"decisions/grounded-prototypes.md": "receptive_fields:written"}, "receptive_fields:draw"
    ),
    "placement-ceiling": Writer({"decisions/grounded-prototypes.md": "placement_ceiling:written"}),
    "mask-places": Writer({"explanations.md": "leaderboard:written"}),
    "sides": Writer({"explanations.md": "sides:written"}),
    "discrepancies": Writer({"discrepancies.md": "discrepancies:written"}),
    "transfer": Writer({"transfer.md": "transfer.page:written"}),
    "dissection": Writer(
        {
            "dissection.md": "dissection.page:written",
            "discrepancies.md": "dissection.points:written",
        },
        "dissection.figures:draw",
    ),
    "training-size": Writer(
        {"dissection.md": "dissection.page:written"}, "dissection.figures:draw"
    ),
    "detector-presets": Writer({"dissection.md": "dissection.page:written"}),
    "detector-shortcut": Writer(
        {"dissection.md": "dissection.page:written"}, "dissection.figures:draw"
    ),
    "methods": Writer({"methods.md": "methods:written"}, "methods:draw"),
    "experiments": Writer({"experiments.md": "experiments.page:written"}, "experiments.page:draw"),
    "detector": Writer({"concepts/detector.md": "detector:written"}),
    "detector-cost": Writer({"concepts/detector.md": "detector:with_cost"}),
    "batch-statistics": Writer({"discrepancies.md": "detector:with_batch_statistics"}),
    "explanations": Writer({"explanations.md": "leaderboard:written"}, "explanations:draw"),
    "verdict": Writer({"verdict.md": "verdict_bounds:written"}),
    "verdict-candidates": Writer({"verdict.md": "verdict_candidates:written"}),
    "verdict-detector": Writer({"verdict.md": "verdict_detector:written"}),
    "measurements": Writer({"verdict.md": "measurements:written"}),
    "mask-errors": Writer({"masks.md": "masks:written"}, "masks:draw"),
    "false-alarms": Writer({"masks.md": "false_alarms:written"}),
    "verdict-reasons": Writer({"masks.md": "verdict_reasons:written"}),
    "localizer": Writer({"localizer.md": "localizer_real_parts:written"}),
    "localizer-again": Writer({"decisions/naming.md": "localizer_again:written"}),
    "localizer-trained-on": Writer({"decisions/trained-on.md": "trained_on:written"}),
    "localizer-public": Writer({"localizer.md": "localizer_public:written"}),
    "localizer-names": Writer({"decisions/names.md": "names:written"}),
    "localizer-levels": Writer({"localizer.md": "levels_learned:written"}, "levels_learned:draw"),
    "bodies": Writer({"localizer.md": "bodies:written"}, "bodies:draw"),
    "own-verdicts": Writer({"localizer.md": "own_verdicts:written"}),
    "curation": Writer({"curation.md": "curation:written"}, "curation:draw"),
    "silencing": Writer({"curation.md": "curation:written"}),
    "diversity": Writer({"diversity.md": "diversity:written"}, "diversity:draw"),
    "benchmarks": Writer({"benchmarks.md": "benchmarks:written"}),
    "archive-scale": Writer({"scale.md": "archive_scale:written"}),
    "house": Writer({}, "house:draw"),
    "studies": Writer({"reproduce.md": "studies:written"}),
}


def named(name: str) -> Callable:
    """Import a function of this package by its name."""
    module, _, function = name.partition(":")
    return getattr(import_module(f"writers.{module}"), function)


def write(name: str, results: Path, out: Path, figures: bool = True) -> list[Path]:
    """Write the pages of one study into a folder laid out as docs; return what was written."""
    writer, done = WRITERS[name], []
    for page in writer.pages:
        path = out / page
        before = path if path.is_file() else DOCS / page
        text = writer.written(page, before.read_text("utf-8"), results)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        done.append(path)
    if figures and writer.figures:
        images = out / "images"
        images.mkdir(parents=True, exist_ok=True)
        done += named(writer.figures)(results, images)
    return done

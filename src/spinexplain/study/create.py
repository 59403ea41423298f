"""From a model and a cohort to a study: vertebrae, evidence, foils, repeats, orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinexplain.data.cohort import Cohort
from spinexplain.errors import ConfigError
from spinexplain.evaluate.bootstrap import FEWEST_SUBJECTS
from spinexplain.progress import SILENT, Progress
from spinexplain.study.asking import Question
from spinexplain.study.cases import (
    ChosenCase,
    Wanted,
    case_patch,
    check_spec,
    choose_cases,
    graded,
    target_mask,
)
from spinexplain.study.evidence import Arm, Shown, explained, foil, foil_kinds
from spinexplain.study.orders import Planned, reader_plan
from spinexplain.study.record import (
    PICTURES,
    ArmKey,
    Case,
    Item,
    ItemKey,
    Key,
    Piece,
    Study,
    View,
    write_study,
)
from spinexplain.study.views import PictureFolder, draw_view
from spinexplain.types import Evidence, Exemplar

# No vowels and no E: no word, and nothing that a spreadsheet takes for a number.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass(frozen=True)
class StudyPlan:
    """What a study shall hold.

    Parameters
    ----------
    title : str
    split : str
    wanted : Wanted
    questions : tuple of Question
    design : {"evidence", "sequential", "crossover"}
    top : int
        Pieces of evidence shown of a vertebra.
    foils, repeats : float
        As many as this share of the items with real evidence.
    readers : int
    washout_days : int
        Between the sessions of a crossover.
    show_class : bool
        Whether a prototype's own class is printed beside it, as ProtoVerse's figure 8 does.
    seed : int
    command : str
        That makes the study again.
    """

    title: str
    split: str
    wanted: Wanted
    questions: tuple[Question, ...]
    design: str = "evidence"
    top: int = 3
    foils: float = 0.5
    repeats: float = 0.15
    readers: int = 2
    washout_days: int = 28
    show_class: bool = False
    seed: int = 0
    command: str = ""


@dataclass
class _Making:
    """A study in the making: the items so far, what they are, and where they go in the order."""

    plan: StudyPlan
    pictures: PictureFolder
    ids: list[str]
    items: list[Item]
    keys: dict[str, ItemKey]
    order: list[Planned]

    def add(self, item: Item, key: ItemKey) -> str:
        """Give an item its id and keep it."""
        name = self.ids.pop()
        self.items.append(item.model_copy(update={"id": name}))
        self.keys[name] = key
        extra = bool(key.foil or key.repeat_of)
        self.order.append(Planned(name, key.case, item.stage, key.repeat_of, extra, key.arm))
        return name


def create_study(
    folder: Path, arms: Sequence[Arm], cohort: Cohort, plan: StudyPlan, progress: Progress = SILENT
) -> Study:
    """Make a study in an existing empty folder.

    Parameters
    ----------
    folder : Path
    arms : sequence of Arm
    cohort : Cohort
    plan : StudyPlan
    progress : Progress

    Returns
    -------
    Study
        As written.

    Raises
    ------
    ConfigError
        If the cohort has no such vertebrae, or the design does not fit the arms.
    """
    _check(arms, plan)
    (folder / PICTURES).mkdir()
    with progress.stage("choose vertebrae"):
        chosen = choose_cases(cohort, plan.split, arms[0].grader, plan.wanted, plan.seed, progress)
    chosen = [case for case in chosen if not _is_exemplar(cohort, case, arms)]
    cases: dict[str, Case] = {}
    made = _Making(plan, PictureFolder(folder / PICTURES), item_ids(plan.seed), [], {}, [])
    for arm in arms:
        with progress.stage(f"explain by {arm.name}"):
            _add_arm(made, arm, cohort, chosen, cases, progress)
    if plan.design != "evidence":
        _add_unaided(made)
    _add_repeats(made)
    return _finish(folder, made, arms, cohort, cases, progress)


def _is_exemplar(cohort: Cohort, case: ChosenCase, arms: Sequence[Arm]) -> bool:
    """Whether a vertebra is one of the training pictures: it would be shown beside itself."""
    record = cohort.index.loc[case.row]
    own = tuple(str(record[name]) for name in ("subject", "series", "level", "grade"))
    sources = [one.provenance for arm in arms for one in arm.grader.exemplars]
    return own in {(one.subject, one.series, one.level, one.grade) for one in sources}


def few_foils(key: Key) -> str:
    """Say that there are too few patients with foils for an interval; empty where not."""
    for arm in key.arms:
        cases = {one.case for one in key.items.values() if one.foil and one.arm == arm}
        patients = len({key.cases[case].subject for case in cases})
        if patients < FEWEST_SUBJECTS:
            return (
                f"warning: {arm} shows foils of {patients} patients; from {FEWEST_SUBJECTS} on, a "
                "study can say whether readers separate them from real evidence. Take more "
                "vertebrae, or raise --foils."
            )
    return ""


def _check(arms: Sequence[Arm], plan: StudyPlan) -> None:
    names = [arm.name for arm in arms]
    if len(set(names)) < len(names):
        raise ConfigError(f"two arms have one name ({', '.join(names)}). Rename one.")
    for arm in arms:
        check_spec(arm.grader.spec)


def item_ids(seed: int, count: int = 4000) -> list[str]:
    """Draw ids that say nothing: six consonants, all different.

    Examples
    --------
    >>> item_ids(1)[0] == item_ids(1)[0], len(set(item_ids(1)))
    (True, 4000)
    """
    rng = np.random.default_rng([seed, 47])
    drawn = rng.integers(len(_LETTERS), size=(2 * count, 6))
    names = dict.fromkeys("".join(_LETTERS[k] for k in row) for row in drawn)
    return list(names)[:count]


def _add_arm(
    made: _Making,
    arm: Arm,
    cohort: Cohort,
    chosen: Sequence[ChosenCase],
    cases: dict[str, Case],
    progress: Progress,
) -> None:
    """Add the items of one arm: real evidence of every vertebra, and foils of some."""
    spec, plan = arm.grader.spec, made.plan
    rows = [case.row for case in chosen]
    called = graded(cohort, rows, arm.grader)
    everything: list[Shown] = []
    for done, row in enumerate(rows, start=1):
        subject = str(cohort.index["subject"].iloc[row])
        patch = case_patch(cohort, row, spec)
        everything.append(explained(arm, subject, patch, called[row]))
        progress.step("explaining", done, len(rows))
    names = [_case(cases, cohort, case, arm, called[case.row]) for case in chosen]
    masks = [target_mask(cohort, row, spec) for row in rows]
    for place, name in enumerate(names):
        pieces = everything[place].evidence[: plan.top]
        made.add(
            _item(made, everything[place], pieces, masks[place]), ItemKey(case=name, arm=arm.name)
        )
        progress.step("drawing", place + 1, len(rows))
    rng = np.random.default_rng([plan.seed, 53])
    count = round(plan.foils * len(rows))
    for number, place in enumerate(rng.permutation(len(rows))[:count].tolist()):
        kinds = foil_kinds(everything, place, plan.top)
        if kinds:
            kind = kinds[number % len(kinds)]
            pieces = foil(everything, place, kind, plan.top, rng)
            item = _item(made, everything[place], pieces, masks[place])
            made.add(item, ItemKey(case=names[place], arm=arm.name, foil=kind))


def _case(cases: dict[str, Case], cohort: Cohort, chosen: ChosenCase, arm: Arm, called: str) -> str:
    """Enter a vertebra, or what a further arm's model calls it, and return its name."""
    name = f"row-{chosen.row}"
    record = cohort.index.loc[chosen.row]
    known = cases.get(name)
    before = {} if known is None else known.model_grades
    cases[name] = Case(
        subject=str(record["subject"]),
        series=str(record["series"]),
        level=str(record["level"]),
        grade=str(record["grade"]),
        role=chosen.role,  # type: ignore[arg-type]
        model_grades={**before, arm.name: called},
    )
    return name


def _item(made: _Making, shown: Shown, pieces: Sequence[Evidence], mask: np.ndarray | None) -> Item:
    patch = shown.patch
    step = patch.frame.spacing_mm
    image = draw_view(made.pictures, patch.array, step, target=mask)
    return Item(
        id="",
        image=image,
        pieces=tuple(
            Piece(
                test=draw_view(made.pictures, patch.array, step, piece.heatmap, mask, piece),
                exemplar=_exemplar(made, piece, len(patch.array) * step),
                label=piece.class_name if made.plan.show_class else "",
            )
            for piece in pieces
        ),
    )


def _exemplar(made: _Making, piece: Evidence, extent_mm: float) -> View | None:
    """Draw the training picture of a piece; None where it has none or its pixels are withheld."""
    known: Exemplar | None = piece.exemplars[0] if piece.exemplars else None
    if known is None or known.array is None:
        return None
    step = extent_mm / len(known.array)
    return draw_view(made.pictures, known.array, step, known.heatmap, None, piece)


def _add_unaided(made: _Making) -> None:
    """Add a page without evidence for every vertebra."""
    images = {
        made.keys[item.id].case: item.image
        for item in reversed(made.items)
        if not made.keys[item.id].foil
    }
    for case, image in reversed(images.items()):
        made.add(Item(id="", stage="unaided", image=image), ItemKey(case=case))


def _add_repeats(made: _Making) -> None:
    """Show some items with real evidence twice, under another id."""
    real = [item for item in made.items if item.stage == "aided" and not made.keys[item.id].foil]
    rng = np.random.default_rng([made.plan.seed, 59])
    count = round(made.plan.repeats * len(real))
    for place in rng.permutation(len(real))[:count].tolist():
        item = real[place]
        made.add(item, made.keys[item.id].model_copy(update={"repeat_of": item.id}))


def _finish(
    folder: Path,
    made: _Making,
    arms: Sequence[Arm],
    cohort: Cohort,
    cases: Mapping[str, Case],
    progress: Progress,
) -> Study:
    plan = made.plan
    shuffled = np.random.default_rng([plan.seed, 61]).permutation(len(made.items))
    study = Study(
        title=plan.title,
        design=plan.design,  # type: ignore[arg-type]
        washout_days=plan.washout_days if plan.design == "crossover" else 0,
        synthetic=bool(cohort.index["synthetic"].all()),
        questions=plan.questions,
        items=tuple(made.items[k] for k in shuffled),
        readers=tuple(
            reader_plan(made.order, plan.design, number, plan.seed)
            for number in range(1, plan.readers + 1)
        ),
    )
    key = Key(
        study="",
        seed=plan.seed,
        command=plan.command,
        cohort=cohort.path.name,
        split=plan.split,
        top=plan.top,
        arms={arm.name: _arm_key(arm) for arm in arms},
        cases=dict(cases),
        items=made.keys,
    )
    if warning := few_foils(key):
        progress.note(warning)
    return write_study(folder, study, key, {})


def _arm_key(arm: Arm) -> ArmKey:
    info = arm.grader.info
    return ArmKey(model=info.name, version=info.version, sha256=info.sha256, method=arm.method)

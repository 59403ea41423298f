"""Reader studies as jobs: create, print, take answers in, score."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from spinexplain.errors import ConfigError
from spinexplain.progress import SILENT, Progress

if TYPE_CHECKING:
    from spinexplain.explainers.dissection.record import Dissection
    from spinexplain.models.grader import Grader
    from spinexplain.study.answers import AnswerFile, Done
    from spinexplain.study.evidence import Arm
    from spinexplain.study.record import Study


@dataclass(frozen=True)
class CreateRequest:
    """What ``study create`` is asked for.

    Parameters
    ----------
    model : str
        A shipped model, a bundle or a run: the first arm, explained as it is by default.
    cohort, out : Path
    split : str
    grades : tuple of str
        Whose vertebrae are asked about.
    most : int
        Vertebrae asked about at most; 0 for all.
    healthy, wrong : int or None
        None for a quarter as many.
    top : int
        Pieces of evidence of a vertebra.
    arms : tuple of str
        ``NAME=MODEL:METHOD``, in place of the first arm.
    dissections : tuple of Path
    foils, repeats : float
        Share of the pages with real evidence.
    design : str
    washout_days : int
    questions : str
        A built-in set or a TOML file; empty for the design's own.
    readers : int
    title : str
    show_class : bool
    seed : int
    """

    model: str
    cohort: Path
    out: Path
    split: str = "test"
    grades: tuple[str, ...] = ("G2", "G3")
    most: int = 0
    healthy: int | None = None
    wrong: int | None = None
    top: int = 3
    arms: tuple[str, ...] = ()
    dissections: tuple[Path, ...] = ()
    foils: float = 0.5
    repeats: float = 0.15
    design: str = "evidence"
    washout_days: int = 28
    questions: str = ""
    readers: int = 2
    title: str = "Reader study"
    show_class: bool = False
    seed: int = 0
    force: bool = False


def create_to_folder(request: CreateRequest, progress: Progress = SILENT) -> Study:
    """Make a study, whole or not at all.

    Raises
    ------
    SpinexplainError
        If a model, the cohort, a question or a number is wrong, or the output exists.
    """
    from spinexplain.data.cohort import Cohort
    from spinexplain.io.files import output_folder
    from spinexplain.study.asking import read_questions
    from spinexplain.study.cases import Wanted
    from spinexplain.study.create import StudyPlan, create_study

    _check(request)
    known = "evidence" if request.design == "evidence" else "reading"
    questions = read_questions(request.questions or known)
    cohort = Cohort.open(request.cohort)
    with output_folder(request.out, force=request.force) as folder:
        arms = _arms(request)
        plan = StudyPlan(
            title=request.title,
            split=request.split,
            wanted=Wanted(request.grades, request.most, request.healthy, request.wrong),
            questions=questions,
            design=request.design,
            top=request.top,
            foils=request.foils,
            repeats=request.repeats,
            readers=request.readers,
            washout_days=request.washout_days,
            show_class=request.show_class,
            seed=request.seed,
            command=command_line(request),
        )
        return create_study(folder, arms, cohort, plan, progress)


def _check(request: CreateRequest) -> None:
    known = ("evidence", "sequential", "crossover")
    if request.design not in known:
        raise ConfigError(f"--design is {request.design!r}; expected one of {', '.join(known)}.")
    wrong = [grade for grade in request.grades if grade not in ("G0", "G1", "G2", "G3")]
    if wrong or not request.grades:
        raise ConfigError(
            f"--grades holds {wrong[0] if wrong else 'nothing'!r}; expected some of G0, G1, G2, "
            "G3 with commas."
        )


def command_line(request: CreateRequest) -> str:
    """Return the command that makes a study again, without folders.

    Examples
    --------
    >>> command_line(CreateRequest("runs/a", Path("in/cohort"), Path("out"), seed=1))
    'spinexplain study create a cohort --split test --grades G2,G3 --top 3 --readers 2 --seed 1'
    """
    words = ["spinexplain", "study", "create", Path(request.model).name, request.cohort.name]
    words += ["--split", request.split, "--grades", ",".join(request.grades)]
    words += ["--top", str(request.top), "--readers", str(request.readers)]
    words += ["--seed", str(request.seed)]
    for arm in request.arms:
        words += ["--arm", arm]
    defaults = CreateRequest(request.model, request.cohort, request.out)
    for name in ("most", "healthy", "wrong", "foils", "repeats", "design", "washout_days"):
        if getattr(request, name) != getattr(defaults, name):
            words += [f"--{name.replace('_', '-')}", str(getattr(request, name))]
    return shlex.join(words)


def _arms(request: CreateRequest) -> list[Arm]:
    from spinexplain.explainers.dissection.store import read_dissection
    from spinexplain.study.evidence import make_arm

    dissections: list[Dissection] = [read_dissection(path) for path in request.dissections]
    load = _loader()
    if not request.arms:
        grader = load(request.model)
        return [make_arm(grader.explainer, grader, grader.explainer, dissections)]
    arms = []
    for text in request.arms:
        name, model, method = _parsed_arm(text)
        grader = load(model or request.model)
        arms.append(make_arm(name, grader, method or grader.explainer, dissections))
    return arms


def _parsed_arm(text: str) -> tuple[str, str, str]:
    """Split ``NAME=MODEL:METHOD``; ``METHOD`` alone is an arm of the first model.

    Examples
    --------
    >>> _parsed_arm("gradcam"), _parsed_arm("net=runs/net"), _parsed_arm("a=runs/net:units")
    (('gradcam', '', 'gradcam'), ('net', 'runs/net', ''), ('a', 'runs/net', 'units'))
    """
    name, separator, rest = text.partition("=")
    if not separator:
        return name, "", name
    model, _, method = rest.rpartition(":") if ":" in rest else (rest, "", "")
    return name, model, method


def _loader() -> Callable[[str], Grader]:
    from spinexplain.models.bundle.folder import locate
    from spinexplain.models.bundle.store import load_grader

    known: dict[str, Grader] = {}

    def load(source: str) -> Grader:
        inside = Path(source) / "bundle"
        found = inside if (inside / "manifest.json").is_file() else locate(source)
        return known.setdefault(str(found), load_grader(found, runtime="torch"))

    return load


@dataclass(frozen=True)
class UnitsRequest:
    """What ``study units`` is asked for.

    Parameters
    ----------
    model : str
    cohort, dissection, out : Path
        The cohort that was dissected, and what ``dissect`` wrote of it.
    units, pictures : int
        Units most tied to fracture, and vertebrae shown of each.
    readers : int
    questions, title : str
    seed : int
    """

    model: str
    cohort: Path
    dissection: Path
    out: Path
    units: int = 10
    pictures: int = 6
    readers: int = 2
    questions: str = "units"
    title: str = "Naming units"
    seed: int = 0
    force: bool = False


def units_to_folder(request: UnitsRequest, progress: Progress = SILENT) -> Study:
    """Make a study in which readers name units, whole or not at all.

    Raises
    ------
    SpinexplainError
        If model, cohort and dissection do not belong together, or the output exists.
    """
    from spinexplain.data.cohort import Cohort
    from spinexplain.explainers.dissection.store import read_dissection
    from spinexplain.io.files import output_folder
    from spinexplain.study.asking import read_questions
    from spinexplain.study.units import UnitsPlan, create_units_study

    words = ["spinexplain", "study", "units", Path(request.model).name, request.cohort.name]
    words += [request.dissection.name, "--units", str(request.units), "--seed", str(request.seed)]
    plan = UnitsPlan(
        title=request.title,
        questions=read_questions(request.questions),
        units=request.units,
        pictures=request.pictures,
        readers=request.readers,
        seed=request.seed,
        command=shlex.join(words),
    )
    dissection = read_dissection(request.dissection)
    cohort = Cohort.open(request.cohort)
    with output_folder(request.out, force=request.force) as folder:
        grader = _loader()(request.model)
        return create_units_study(folder, grader, cohort, dissection, plan, progress)


def paper_to_folder(
    folder: Path, out: Path, force: bool = False, progress: Progress = SILENT
) -> list[str]:
    """Print a study: PDFs and answer sheets, whole or not at all; return the files' names."""
    from spinexplain.io.files import output_folder
    from spinexplain.study.paper import write_paper
    from spinexplain.study.record import read_study

    study = read_study(folder)
    with output_folder(out, force=force) as made:
        return [path.name for path in write_paper(folder, study, made, progress)]


def add_answers(folder: Path, files: tuple[Path, ...]) -> tuple[list[str], list[Done]]:
    """Take answer sheets and exports into a study: all of them, or none.

    Returns
    -------
    list of str
        What was done with each file.
    list of Done
        How far each reader is now.

    Raises
    ------
    SpinexplainError
        If a file does not fit; nothing is stored then.
    """
    from spinexplain.study.answers import progress_of, read_answers, store_answers
    from spinexplain.study.record import read_study

    study = read_study(folder)
    found = [_answer_file(path, study) for path in files]
    lines = []
    for path, one in zip(files, found, strict=True):
        stored = store_answers(folder, one)
        what = f"{len(one.answers)} answers of reader {one.reader}"
        lines.append(f"{path.name}: {what}{'' if stored else ', known already'}")
    return lines, progress_of(study, read_answers(folder, study))


def _answer_file(path: Path, study: Study) -> AnswerFile:
    from spinexplain.study.answers import check_answers, read_answer_file
    from spinexplain.study.sheet import read_sheet

    if path.suffix.lower() == ".json":
        return read_answer_file(path, study)
    found = read_sheet(path, study, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    check_answers(found, study, str(path))
    return found


def score_to_folder(
    folder: Path, out: Path | None = None, seed: int = 0, force: bool = False
) -> tuple[list[str], list[str]]:
    """Score a study; whole or not at all.

    Parameters
    ----------
    folder : Path
    out : Path, optional
        By default ``score`` in the study, replaced every time.
    seed : int
    force : bool

    Returns
    -------
    list of str
        What it shows.
    list of str
        The files written.

    Raises
    ------
    SpinexplainError
        If the study is damaged, or nobody has answered.
    """
    from spinexplain.io.files import output_folder
    from spinexplain.study.answers import read_answers
    from spinexplain.study.record import PICTURES, read_key, read_study
    from spinexplain.study.score import score_study
    from spinexplain.study.score_page import headlines, write_score

    study = read_study(folder)
    key = read_key(folder, study)
    files = read_answers(folder, study)
    score = score_study(study, key, files, seed)
    target = folder / "score" if out is None else out
    with output_folder(target, force=force or out is None) as made:
        names = write_score(made, score, study, key, files, folder / PICTURES)
    return headlines(score), [str(target / name) for name in names]


def rehearse_to_folder(
    folder: Path,
    out: Path,
    agreement: float = 0.6,
    real: float = 0.8,
    foil: float = 0.4,
    kinds: tuple[str, ...] = ("careful",),
    seed: int = 0,
    force: bool = False,
) -> int:
    """Copy a study and let simulated readers answer the copy; return their answers.

    Raises
    ------
    ConfigError
        If a share or a kind of reader is wrong.
    """
    import shutil

    from spinexplain.io.files import output_folder
    from spinexplain.study.answers import store_answers
    from spinexplain.study.panel import KINDS, Panel, simulate
    from spinexplain.study.record import (
        KEY_FILE,
        PICTURES,
        REVEAL_FILE,
        STUDY_FILE,
        read_key,
        read_study,
    )

    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise ConfigError(f"--kinds holds {unknown}; expected some of {', '.join(KINDS)}.")
    study = read_study(folder)
    key = read_key(folder, study)
    panel = Panel(real=real, foil=foil, agreement=agreement, kinds=kinds)
    with output_folder(out, force=force) as made:
        for name in (STUDY_FILE, KEY_FILE, REVEAL_FILE):
            shutil.copyfile(folder / name, made / name)
        shutil.copytree(folder / PICTURES, made / PICTURES)
        files = simulate(study, key, panel, seed)
        for one in files:
            store_answers(made, one)
    return sum(len(one.answers) for one in files)

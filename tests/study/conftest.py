"""A small study made from a network of a few steps, and one written by hand."""

import json

import pytest
from PIL import Image

from spinexplain.jobs.study import CreateRequest, create_to_folder
from spinexplain.study.asking import read_questions
from spinexplain.study.orders import Planned, reader_plan
from spinexplain.study.panel import simulate
from spinexplain.study.record import (
    Case,
    Item,
    ItemKey,
    Key,
    Piece,
    Slice,
    Study,
    View,
    read_key,
    read_study,
    write_study,
)
from spinexplain.study.score import score_study

VIEW = View(slices=(Slice(picture="p0.png"),), width=8, height=8, mm=1.0)


@pytest.fixture(scope="session")
def made(finished_run, other_cohort, tmp_path_factory):
    """The folder of a study of drawn squares; copy it before writing into it."""
    out = tmp_path_factory.mktemp("made") / "study"
    request = CreateRequest(
        str(finished_run[0]), other_cohort, out, split="all", most=6, repeats=0.4, seed=1
    )
    create_to_folder(request)
    return out


@pytest.fixture(scope="session")
def made_study(made):
    study = read_study(made)
    return study, read_key(made, study)


@pytest.fixture
def written(tmp_path):
    """A maker of studies without models: written(cases, foils, repeats, ...) -> folder."""

    def make(cases=20, foils=20, repeats=10, readers=2, unaided=False, arms=("prototypes",)):
        items, keys, order, people = [], {}, [], {}

        def add(case, stage="aided", arm=arms[0], foil="", base=""):
            name = _id(len(items))
            pieces = (Piece(test=VIEW, exemplar=VIEW),) * 3 if stage == "aided" else ()
            items.append(Item(id=name, stage=stage, image=VIEW, pieces=pieces))
            shown = "" if stage == "unaided" else arm
            keys[name] = ItemKey(case=case, arm=shown, foil=foil, repeat_of=base)
            order.append(Planned(name, case, stage, base, bool(foil or base), shown))
            return name

        first = {}
        for number in range(cases):
            case = f"row-{number}"
            grade = ("G2", "G3", "G0")[number % 3]
            people[case] = Case(
                subject=f"sub-{number}",
                series="s",
                level="L1",
                grade=grade,
                role="healthy" if grade == "G0" else "asked",
                model_grades=dict.fromkeys(arms, grade if number % 4 else "G0"),
            )
            for arm in arms:
                first.setdefault(case, add(case, arm=arm))
            if unaided:
                add(case, "unaided")
        kinds = ("random evidence", "wrong class", "image-blind map")
        for number in range(foils):
            add(f"row-{number % cases}", foil=kinds[number % 3])
        for number in range(repeats):
            case = f"row-{number % cases}"
            add(case, base=first[case])
        design = "sequential" if unaided else "evidence"
        study = Study(
            title="Written by hand",
            design=design,
            questions=read_questions("reading" if unaided else "evidence"),
            items=tuple(items),
            readers=tuple(reader_plan(order, design, k + 1, 0) for k in range(readers)),
        )
        key = Key(study="", seed=0, cohort="hand", arms={}, cases=people, items=keys)
        folder = tmp_path / f"written-{cases}-{foils}-{repeats}-{readers}-{len(arms)}"
        (folder / "pictures").mkdir(parents=True)
        Image.new("L", (8, 8)).save(folder / "pictures" / "p0.png")
        write_study(folder, study, key, {})
        return folder

    return make


def _id(number):
    letters = "BCDFGHJKLM"
    return "".join(letters[int(digit)] for digit in f"{number:06d}")


def opened(folder):
    study = read_study(folder)
    return study, read_key(folder, study)


def scored(folder, panel, seed=0, files=None, draws=100):
    study, key = opened(folder)
    files = simulate(study, key, panel, seed) if files is None else files
    found = score_study(study, key, files, draws=draws)
    json.dumps(found, allow_nan=False)
    return found


def row_of(rows, **wanted):
    return next(row for row in rows if wanted.items() <= row.items())

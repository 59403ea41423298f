from collections import Counter

from spinexplain.study.cases import Wanted, choose_cases
from spinexplain.study.create import few_foils, item_ids
from spinexplain.study.record import missing_pictures


def exemplars(run):
    from spinexplain.models.bundle.store import load_grader

    return {
        (one.provenance.subject, one.provenance.series, one.provenance.level, one.provenance.grade)
        for one in load_grader(run / "bundle", runtime="torch").exemplars
    }


def test_six_are_asked_about_but_for_what_would_stand_beside_itself(
    made_study, finished_run, other_cohort
):
    """Which vertebrae prototypes come from hangs on the training, and so on the processor."""
    from spinexplain.data.cohort import Cohort
    from spinexplain.jobs.study import CreateRequest
    from spinexplain.models.bundle.store import load_grader

    cohort = Cohort.open(other_cohort)
    grader = load_grader(finished_run[0] / "bundle", runtime="torch")
    chosen = choose_cases(cohort, "all", grader, Wanted(CreateRequest.grades, most=6), seed=1)
    rows = [cohort.index.loc[case.row] for case in chosen if case.role == "asked"]
    own = [tuple(str(row[n]) for n in ("subject", "series", "level", "grade")) for row in rows]
    assert len(own) == 6
    kept = [case for case in made_study[1].cases.values() if case.role == "asked"]
    assert len(kept) == sum(one not in exemplars(finished_run[0]) for one in own) > 0


def test_a_study_holds_all_that_was_asked(made, made_study):
    study, key = made_study
    kinds = Counter((k.foil, bool(k.repeat_of)) for k in key.items.values())
    real = kinds[("", False)]
    assert real == len(key.cases)
    assert kinds[("", True)] == round(0.4 * real)
    assert sum(n for (foil, _), n in kinds.items() if foil) == round(0.5 * real)
    assert missing_pictures(made, study) == []
    assert all(len(item.pieces) == 3 and item.image for item in study.items)
    assert all(item.image.slices[0].target for item in study.items)


def test_a_repeat_shows_the_same_pages(made_study):
    study, key = made_study
    for name, known in key.items.items():
        if known.repeat_of:
            first, second = study.item(known.repeat_of), study.item(name)
            assert first.model_copy(update={"id": name}) == second


def test_too_few_foils_are_said_beforehand(made_study):
    _, key = made_study
    patients = len({key.cases[k.case].subject for k in key.items.values() if k.foil})
    assert patients < 10
    assert f"foils of {patients} patients" in few_foils(key)
    assert few_foils(key.model_copy(update={"arms": {}})) == ""


def test_no_vertebra_is_shown_beside_itself(made, made_study, finished_run):
    sources = exemplars(finished_run[0])
    cases = made_study[1].cases.values()
    assert sources
    assert not sources & {(c.subject, c.series, c.level, c.grade) for c in cases}


def test_ids_say_nothing():
    assert not set("".join(item_ids(0))) & set("AEIOUY0123456789")


def test_the_same_seed_makes_the_same_study(made, made_study, finished_run, other_cohort, tmp_path):
    from spinexplain.jobs.study import CreateRequest, create_to_folder

    request = CreateRequest(
        str(finished_run[0]),
        other_cohort,
        tmp_path / "again",
        split="all",
        most=6,
        repeats=0.4,
        seed=1,
    )
    assert create_to_folder(request).id == made_study[0].id

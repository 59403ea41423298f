"""Simulated readers with a known agreement, to rehearse a study and to test its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.study.answers import Answer, AnswerFile
from spinexplain.study.asking import Question, Value
from spinexplain.study.record import Item, Key, Study

KINDS = ("careful", "yes", "no")
_START = np.datetime64("2000-01-01T00:00:00")


@dataclass(frozen=True)
class Panel:
    """What simulated readers are like.

    Parameters
    ----------
    real, foil : float
        How often they say yes to a piece of real evidence, and of a foil.
    agreement : float
        Cohen's kappa between any two careful readers.
    repeat : float
        Kappa of a careful reader with themselves on a page shown again.
    kinds : tuple of str
        Of the readers in turn: ``"careful"``, or one who says ``"yes"`` or ``"no"`` to
        everything.
    """

    real: float = 0.8
    foil: float = 0.4
    agreement: float = 0.6
    repeat: float = 0.8
    kinds: tuple[str, ...] = ("careful",)


def simulate(study: Study, key: Key, panel: Panel, seed: int) -> list[AnswerFile]:
    """Let simulated readers answer a whole study.

    Parameters
    ----------
    study : Study
    key : Key
    panel : Panel
    seed : int

    Returns
    -------
    list of AnswerFile
        One a reader, with source ``"simulated"``.

    Notes
    -----
    To every piece there is a common answer, yes with probability p. A careful reader gives it
    with probability sqrt(agreement), and otherwise an own one, again yes with probability p.
    Two readers then share p and have the correlation ``agreement``, which for equal shares is
    Cohen's kappa. On a repeat they give their own earlier answer with probability ``repeat``.
    """
    common = _common_answers(study, key, panel, np.random.default_rng([seed, 71]))
    return [
        _reader(study, key, panel, plan.number, common, seed, panel.kinds[k % len(panel.kinds)])
        for k, plan in enumerate(study.readers)
    ]


def _chance(key: Key, item: str, panel: Panel) -> float:
    return panel.foil if key.items[item].foil else panel.real


def _common_answers(
    study: Study, key: Key, panel: Panel, rng: np.random.Generator
) -> dict[tuple[str, int, str], bool]:
    return {
        (item.id, piece, q.key): bool(rng.random() < _chance(key, item.id, panel))
        for item in study.items
        for piece, q in study.asked(item)
    }


def _reader(
    study: Study,
    key: Key,
    panel: Panel,
    number: int,
    common: dict[tuple[str, int, str], bool],
    seed: int,
    kind: str,
) -> AnswerFile:
    rng = np.random.default_rng([seed, 73, number])
    yes: dict[tuple[str, int, str], bool] = {}
    answers: list[Answer] = []
    names = [name for session in study.plan(number).sessions for name in session]
    # Repeats last: they copy what was said the first time, wherever they stand in the order.
    for item in (study.item(n) for n in sorted(names, key=lambda n: bool(key.items[n].repeat_of))):
        for piece, question in study.asked(item):
            place = (item.id, piece, question.key)
            yes[place] = _says_yes(key, panel, place, common, yes, rng, kind)
            value = _value(question, yes[place], item, key, rng)
            at = f"{_START + np.timedelta64(len(answers), 's')}Z"
            seconds = round(float(rng.gamma(4, 8)), 1)
            answers.append(
                Answer(
                    item=item.id,
                    piece=piece,
                    question=question.key,
                    value=value,
                    at=at,
                    seconds=seconds,
                )
            )
    return AnswerFile(study=study.id, reader=number, source="simulated", answers=tuple(answers))


def _says_yes(
    key: Key,
    panel: Panel,
    place: tuple[str, int, str],
    common: dict[tuple[str, int, str], bool],
    said: dict[tuple[str, int, str], bool],
    rng: np.random.Generator,
    kind: str,
) -> bool:
    if kind != "careful":
        return kind == "yes"
    item, piece, question = place
    before = said.get((key.items[item].repeat_of, piece, question))
    if before is not None and rng.random() < panel.repeat:
        return before
    if before is None and rng.random() < np.sqrt(panel.agreement):
        return common[place]
    return bool(rng.random() < _chance(key, item, panel))


def _value(question: Question, yes: bool, item: Item, key: Key, rng: np.random.Generator) -> Value:
    if question.kind == "yes_no":
        return "yes" if yes else "no"
    if question.kind == "text":
        return "simulated"
    case = key.cases.get(key.items[item.id].case)
    if question.kind == "choice":
        known = case.grade if case is not None and case.grade in question.options else ""
        return known if known and yes else _drawn(question.options, rng)
    fractured = case is not None and case.grade in ("G2", "G3")
    middle = (question.low + question.high) / 2
    reach = (question.high - question.low) / 4
    shift = (reach if fractured else -reach) * (1.4 if item.stage == "aided" else 1.0)
    drawn = rng.normal(middle + shift, reach)
    return float(np.clip(round(drawn), question.low, question.high))


def _drawn(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]

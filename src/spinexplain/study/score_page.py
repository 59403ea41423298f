"""A scored study as files: JSON, a page, Markdown, all answers, figure 8, iMRMC."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spinexplain.experiment.table import markdown
from spinexplain.io.json_file import write_json
from spinexplain.study.answers import AnswerFile, latest
from spinexplain.study.figure8 import draw_figure8
from spinexplain.study.imrmc import imrmc_files
from spinexplain.study.pools import ALL, INFORMATIVE, leading
from spinexplain.study.record import Key, Study
from spinexplain.study.score_tables import score_tables, whose
from spinexplain.study.tally import tally
from spinexplain.study.unit_words import rater_names
from spinexplain.ui.pages import render_page, software_version, write_page

SCORE_FILE, PAGE_FILE, MARKDOWN_FILE, ANSWERS_FILE = (
    "score.json",
    "score.html",
    "score.md",
    "answers.csv",
)
_FORMULA = ("=", "+", "-", "@", "\t")


def write_score(
    folder: Path,
    score: Mapping[str, Any],
    study: Study,
    key: Key,
    files: Sequence[AnswerFile],
    pictures: Path,
) -> list[str]:
    """Write everything a scored study leaves.

    Parameters
    ----------
    folder : Path
        An existing folder.
    score : mapping
        From :func:`spinexplain.study.score.score_study`.
    study, key, files
        What it was made of.
    pictures : Path
        Of the study; figure 8 is left out where they are gone.

    Returns
    -------
    list of str
        Names of the files.
    """
    found = tally(study, key, files)
    drawn = draw_figure8(folder, study, found, pictures)
    content = {**score, "figure8": drawn}
    write_json(folder / SCORE_FILE, content, only_finite=True)
    (folder / MARKDOWN_FILE).write_text(score_markdown(content), "utf-8")
    write_page(folder / PAGE_FILE, score_html(content))
    (folder / ANSWERS_FILE).write_bytes(answers_csv(study, key, files).encode("utf-8-sig"))
    exported = imrmc_files(found)
    if study.kind == "units":
        exported |= {
            f"names-reader-{reader}.json": names.model_dump_json(by_alias=True, indent=1) + "\n"
            for reader, names in zip(found.readers, rater_names(found, key), strict=True)
        }
    for name, text in exported.items():
        (folder / name).write_text(text, "utf-8")
    return [SCORE_FILE, PAGE_FILE, MARKDOWN_FILE, ANSWERS_FILE, *drawn, *exported]


def headlines(score: Mapping[str, Any]) -> list[str]:
    """Say what a study shows, the warnings first."""
    lines = []
    if score["simulated"]:
        lines.append("Simulated readers: this is a rehearsal, no person has answered.")
    if score["synthetic"]:
        lines.append("The pictures are of phantoms: nothing here is about patients.")
    unfinished = [row for row in score["readers"] if row["finished"] < row["pages"]]
    lines += [
        f"Reader {row['reader']} has finished {row['finished']} of {row['pages']} pages; what is "
        "missing is left out."
        for row in unfinished
    ]
    lines += [f"Reader {r['reader']}: {note}." for r in score["readers"] for note in r["notes"]]
    return lines + _against_foils(score["foils"])


def _against_foils(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Say how real evidence does against foils, by the readers whose yes means something."""
    lines = []
    for arm, question in dict.fromkeys((row["arm"], row["question"]) for row in rows):
        said = leading(rows, arm=arm, question=question, foil=ALL)
        if said is None or said["real"] is None or said["false"] is None:
            continue
        who = f", {said['readers']} informative readers" if said["reader"] == INFORMATIVE else ""
        lines.append(
            f"{arm}, {question}{who}: yes to {100 * said['real']:.0f} % of real pieces and "
            f"{100 * said['false']:.0f} % of foils: {said['verdict']}."
        )
    return lines


def score_markdown(score: Mapping[str, Any]) -> str:
    """Write a scored study as Markdown."""
    lines = [f"# {score['title']}", "", *(f"- {line}" for line in headlines(score)), ""]
    return "\n".join([*lines, *(markdown(table) for table in score_tables(score))])


def score_html(score: Mapping[str, Any]) -> str:
    """Write a scored study as a page of one file, without script."""
    dots = [
        {**row, "who": whose(row["reader"])}
        for row in score["foils"]
        if row["foil"] == "all" and row["real"] is not None and row["false"] is not None
    ]
    content = {
        "score": score,
        "tables": score_tables(score),
        "headlines": headlines(score),
        "dots": dots,
        "software": software_version(),
    }
    return render_page("study_score", content, script=False, also=("evaluation.css",))


def answers_csv(study: Study, key: Key, files: Sequence[AnswerFile]) -> str:
    """Write every last word beside the truth, one row an answer.

    A text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    head = ["reader", "source", "item", "piece", "question", "answer", "at", "seconds"]
    writer.writerow([*head, "arm", "foil", "repeat_of", "patient", "level", "grade", "role"])
    sources = {answer.place: file.source for file in files for answer in file.answers}
    for plan in study.readers:
        for answer in latest(files, plan.number).values():
            known = key.items[answer.item]
            case = key.cases.get(known.case)
            of_case = (
                [known.case, "", "", ""]
                if case is None
                else [case.subject, case.level, case.grade, case.role]
            )
            writer.writerow(
                [
                    plan.number,
                    sources[answer.place],
                    answer.item,
                    answer.piece,
                    answer.question,
                    _harmless(answer.value),
                    answer.at,
                    "" if answer.seconds is None else answer.seconds,
                    known.arm,
                    known.foil,
                    known.repeat_of,
                    *of_case,
                ]
            )
    return stream.getvalue()


def _harmless(value: str | float) -> str:
    text = f"{value:g}" if isinstance(value, float) else value
    return f"'{text}" if text.startswith(_FORMULA) and not isinstance(value, float) else text

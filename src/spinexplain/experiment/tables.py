"""The papers' tables from stored results, ours beside the published numbers."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib import resources
from typing import Any

from spinexplain.evaluate.figures import HEADLINE
from spinexplain.experiment.crossval_results import candidate_words
from spinexplain.experiment.detection_tables import detection_tables
from spinexplain.experiment.stored import Results, Stored, same_data
from spinexplain.experiment.study_table import study_tables
from spinexplain.experiment.table import Row, Table, cell, fold_cell
from spinexplain.experiment.task_table import compares_tasks, task_table

NOT_A_REPLICATION = (
    "Not a replication: the published figures rest on in-house grades of VerSe'19 (G0 1308, G2 "
    "76, G3 52), the public table has G0 1180, G2 96, G3 51 (after G1 and foreign material are "
    "left out)."
)


def published() -> dict[str, Any]:
    """Read the published numbers that come with the package."""
    text = (resources.files("spinexplain.experiment") / "published.toml").read_text("utf-8")
    return tomllib.loads(text)


def make_tables(results: Results) -> list[Table]:
    """Make every table for which there are results.

    Parameters
    ----------
    results : Results

    Returns
    -------
    list of Table
        ProtoVerse's tables 1 to 6, ours of tasks and losses, then tables 1 to 3 of
        the dissection paper; those without results of ours are left out.

    Raises
    ------
    ConfigError
        If a table would mix results of different data.
    """
    paper = published()
    made: list[Table] = []
    if evaluations := results.of("evaluation"):
        made.append(_test_table(evaluations, paper["protoverse"]))
    made += _comparison_tables(results.of("crossval"), paper["protoverse"])
    made += study_tables(results, paper["protoverse"])
    made += _factor_tables(results.of("crossval"), paper["protoverse"])
    return [*made, *detection_tables(results, paper["dissection"])]


def _comparison_tables(items: tuple[Stored, ...], paper: dict[str, Any]) -> list[Table]:
    """Tables 2 and 3, heads on a frozen trunk apart, and the table of tasks and losses."""
    plain = [item for item in items if "factors" not in item.content]
    tasks = [item for item in plain if compares_tasks(item, paper["table3"]["columns"])]
    papers = [item for item in plain if item not in tasks]
    made: list[Table] = []
    for frozen, key in ((False, "protoverse-table2"), (True, "protoverse-table2-heads")):
        if chosen := [item for item in papers if ("trunk" in item.content) == frozen]:
            same_data(chosen, "table 2")
            words = ", heads alone" if frozen else ""
            table = _crossval_table(chosen, paper, key)
            made.append(replace(table, title=table.title + words))
            made += _contribution_tables(chosen, paper, "-heads" if frozen else "", words)
    if tasks:
        same_data(tasks, "the table of tasks")
        made.append(task_table(tasks, [note for item in tasks for note in _told(item)]))
    return made


def _told(item: Stored) -> list[str]:
    """Say what a cross-validation's figures rest on."""
    entries = item.content["entries"]
    steps = ", ".join(f"{entry['name']} {entry['steps']}" for entry in entries)
    notes = [described(item), f"Mean ± SD of {_folds(item)}; steps: {steps}."]
    if trunk := item.content.get("trunk"):
        notes.append(str(trunk))
    if any(len(entry.get("candidates", ())) > 1 for entry in entries):
        notes.append(f"{candidate_words(item.content)}.")
    return notes


def _published_rows(table: dict[str, Any]) -> list[Row]:
    rows = []
    for row in table["rows"]:
        spread = row.get("sd", [None] * len(row["values"]))
        cells = [cell(value, sd, 2) for value, sd in zip(row["values"], spread, strict=True)]
        rows.append(Row("published", row["name"], tuple(cells)))
    return rows


def _notes(table: dict[str, Any], paper: dict[str, Any], ours: list[str]) -> tuple[str, ...]:
    where = (
        f"Published: {paper['source']}, {table['where']}; {paper['backbone']}; {paper['labels']}."
    )
    return (where, *ours)


def described(item: Stored) -> str:
    """Say on what our figures were made: data, backbone, hashes."""
    content = item.content
    made_by = f"Ours: {content.get('cohort', 'unnamed cohort')}"
    if content.get("synthetic"):
        made_by += ", synthetic spines"
    if content.get("vertebrae"):
        made_by += f", {content['vertebrae']} vertebrae of {content.get('subjects')} subjects"
    if backbones := _backbones(content):
        made_by += f"; backbone {', '.join(backbones)}"
    return f"{made_by}; data {str(content.get('data_sha256'))[:12]}, file {item.sha256[:12]}."


def _backbones(content: dict[str, Any]) -> list[str]:
    names = []
    for entry in content.get("entries", [content]):
        if "config" not in entry:
            continue
        config = entry.get("config", {})
        trunk = config.get("trunk", {})
        size = config.get("input", {}).get("size")
        names.append(f"{trunk.get('name')} at {size} ({_weights(trunk)})")
    return list(dict.fromkeys(names))


def _weights(trunk: dict[str, Any]) -> str:
    known = {"none": "from scratch", "imagenet": "ImageNet weights"}
    return known.get(str(trunk.get("weights")), f"weights {trunk.get('weights')}")


def _test_table(items: tuple[Stored, ...], paper: dict[str, Any]) -> Table:
    digest = same_data(items, "table 1")
    rows = _published_rows(paper["table1"])
    for item in items:
        vertebra = item.content["vertebra"]
        cells = []
        for name in HEADLINE:
            found = vertebra[name]
            low, high = found["low"], found["high"]
            interval = "" if low is None else f" ({100 * low:.1f} to {100 * high:.1f})"
            cells.append(cell(100 * found["value"]) + interval)
        rows.append(Row("ours", str(item.content["model"]), tuple(cells)))
    settings = ", ".join(str(item.content["config_sha256"])[:12] for item in items)
    hashes = f"Intervals: subject bootstrap, 95 %. Data {digest[:12]}, settings {settings}."
    models = [
        f"{item.content['model']}: trained on {item.content['trained_on']}."
        for item in items
        if item.content.get("trained_on")
    ]
    notes = [NOT_A_REPLICATION, described(items[0]), *models, hashes]
    return _table("protoverse-table1", "table1", paper, rows, notes)


def _table(key: str, name: str, paper: dict[str, Any], rows: list[Row], notes: list[str]) -> Table:
    table = paper[name]
    return Table(
        key,
        f"{table['title']} ({table['where'].rpartition(', ')[2]})",
        tuple(table["columns"]),
        tuple(rows),
        _notes(table, paper, notes),
    )


def _entry_row(entry: dict[str, Any], name: str) -> Row:
    return Row("ours", name, tuple(fold_cell(entry, key) for key in HEADLINE))


def _crossval_table(items: list[Stored], paper: dict[str, Any], key: str) -> Table:
    rows = _published_rows(paper["table2"])
    notes = [NOT_A_REPLICATION]
    for item in items:
        rows += [_entry_row(entry, entry["name"]) for entry in item.content["entries"]]
        notes += _told(item)
    return _table(key, "table2", paper, rows, notes)


def _folds(item: Stored) -> str:
    done, planned = item.content["folds"], item.content.get("folds_planned")
    return f"{done} folds" if planned in (None, done) else f"{done} of {planned} folds"


def _contribution_tables(
    items: list[Stored], paper: dict[str, Any], suffix: str = "", addition: str = ""
) -> list[Table]:
    made = []
    for item in items:
        for entry in item.content["entries"]:
            found = entry["prototypes"]
            if found is None or item.content["classes"] != paper["table3"]["columns"]:
                continue
            rows = _published_rows(paper["table3"])
            rows += [
                Row("ours", name, tuple(cell(value, digits=2) for value in line))
                for name, line in zip(
                    item.content["classes"], found["contributions"]["own_class"], strict=True
                )
            ]
            largest = found["diagonal_is_largest"]["own_class"]
            notes = [
                NOT_A_REPLICATION,
                f"{entry['name']}. Rows: class of the vertebrae; columns: of the prototypes. Ours: "
                "contribution to the logit of the prototypes' own class, which can fail; to the "
                "vertebra's logit, as published, the signs of the connections alone make the "
                "diagonal the largest. The diagonal is the largest of its row and column: "
                f"{_yes(largest)}.",
                described(item),
            ]
            key = f"protoverse-table3-{entry['name']}{suffix}"
            table = _table(key, "table3", paper, rows, notes)
            made.append(replace(table, title=f"{table.title}: {entry['name']}{addition}"))
    return made


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _factor_tables(items: tuple[Stored, ...], paper: dict[str, Any]) -> list[Table]:
    """Tables 5 and 6, and figure 7's numbers, from ablations over one factor."""
    made = []
    for name in ("table5", "table6"):
        factor = paper[name]["factor"]
        used = [i for i in items if factor in i.content.get("factors", {}).get("keys", [])]
        if not used:
            continue
        same_data(used, name)
        rows, notes = _published_rows(paper[name]), [NOT_A_REPLICATION]
        for item in used:
            rows += [_entry_row(entry, value) for entry, value in of_factor(item, factor)]
            notes += [described(item), str(item.content["factors"]["how"])]
        made.append(_table(f"protoverse-{name}", name, paper, rows, notes))
    return made


def of_factor(item: Stored, factor: str) -> list[tuple[dict[str, Any], str]]:
    """Return the entries of an ablation that differ in one factor alone, with its values."""
    factors = item.content["factors"]
    entries = {entry["name"]: entry for entry in item.content["entries"]}
    chosen = []
    for name, settings in factors["settings"].items():
        others = {key: value for key, value in settings.items() if key != factor}
        if others == {k: v for k, v in factors["base"].items() if k != factor}:
            chosen.append((entries[name], str(settings[factor])))
    return chosen

"""Tables 1 to 3 of Interpretable Vertebral Fracture Diagnosis, ours beside the published."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from spinexplain.config.tasks import derived_task
from spinexplain.experiment.stored import Results, Stored
from spinexplain.experiment.table import Row, Table, cell
from spinexplain.experiment.units_table import unit_rows

_DETECTION = ("f1", "accuracy", "auc", "ap")
_SHOWN = 10


def detection_tables(results: Results, paper: dict[str, Any]) -> list[Table]:
    """Make the tables for which there are trials, dissections and graded scans."""
    made = [_trials_table(item, paper) for item in results.of("trials")]
    made += [_units_table(item, paper) for item in results.of("dissection")]
    readings = [table for item in results.of("reading") if (table := _inference(item, paper))]
    return [*made, *readings]


def _table(name: str, paper: dict[str, Any], rows: list[Row], notes: list[str]) -> Table:
    table = paper[name]
    where = (
        f"Published: {paper['source']}, {table['where']}; {paper['backbone']}; {paper['labels']}."
    )
    title = f"{table['title']} ({table['where'].rpartition(', ')[2]})"
    columns = tuple(table["columns"])
    return Table(f"dissection-{name}", title, columns, tuple(rows), (where, *notes))


def _trials_table(item: Stored, paper: dict[str, Any]) -> Table:
    rows = []
    for row in paper["table1"]["rows"]:
        cells = [cell(value, sd) for value, sd in zip(row["values"], row["sd"], strict=True)]
        rows.append(Row("published", row["name"], tuple(cells)))
    runs = []
    for crossing in item.content["crossings"]:
        mean, sd = crossing["mean"], crossing["standard_deviation"]
        cells = [cell(_percent(mean.get(k)), _percent(sd.get(k))) for k in _DETECTION]
        rows.append(Row("ours", f"{crossing['train']}, tested on {crossing['test']}", tuple(cells)))
        runs.append(_sizes(crossing))
    notes = [
        "Ours: phantoms unless the names say otherwise. Vertebrae (fractured), trainings: "
        + "; ".join(filter(None, dict.fromkeys(runs)))
        + ".",
        _hashes(item),
    ]
    return _table("table1", paper, rows, notes)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _sizes(crossing: dict[str, Any]) -> str:
    if "vertebrae" not in crossing:
        return ""
    runs = len(crossing["runs"])
    return (
        f"{crossing['test']} {crossing['vertebrae']} ({crossing['fractures']}), {runs} by "
        f"{crossing['train']}"
    )


def _hashes(item: Stored) -> str:
    known = [
        f"{words} {str(item.content[name])[:12]}"
        for name, words in (("config_sha256", "settings"), ("data_sha256", "data"))
        if item.content.get(name)
    ]
    return f"{', '.join([*known, f'file {item.sha256[:12]}']).capitalize()}."


def _units_table(item: Stored, paper: dict[str, Any]) -> Table:
    rows = [
        Row("published", f"rank {row['name']}", (row["text"],)) for row in paper["table2"]["texts"]
    ]
    rows += [Row("ours", f"rank {rank}", (words,)) for rank, words in unit_rows(item)]
    notes = [
        f"Ours: {item.content['model']['name']}, layer {item.content['layer']}; suggestions are "
        f"measured overlap with {', '.join(item.content['regions'])}, not names; file "
        f"{item.sha256[:12]}. With pictures: table2.html in the dissection's folder."
    ]
    return _table("table2", paper, rows, notes)


def _inference(item: Stored, paper: dict[str, Any]) -> Table | None:
    """Show the most relevant units of the first vertebra that a dissected model calls fractured."""
    found = next(_dissected_fractures(item.content), None)
    if found is None:
        return None
    table = paper["table3"]
    rows = [
        Row("published", f"unit {unit}", (str(place),))
        for unit, place in zip(table["units"], table["places"], strict=True)
    ]
    for place, piece in enumerate(found["explanation"]["evidence"][:_SHOWN], start=1):
        terms = piece["terms"]
        where = f"{place}; rank {int(terms['rank'])} of {int(terms['units'])}"
        rows.append(Row("ours", f"unit {int(terms['unit'])}", (where,)))
    notes = [
        f"Ours: {found['level']} of {item.content['ct']['name']}, called {found['grade']} by "
        f"{item.content['models'][0]['name']}; first its place by relevance, then its rank among "
        f"all units. File {item.sha256[:12]}. The pictures are in that scan's report."
    ]
    return _table("table3", paper, rows, notes)


def _dissected_fractures(reading: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the vertebrae that the first model calls fractured and explains by its units."""
    models = reading.get("models") or []
    healthy = derived_task(models[0]["classes"]).healthy if models else None
    for vertebra in reading.get("vertebrae", []):
        explanation = vertebra.get("explanation") or {}
        by_units = explanation.get("method") == "dissection" and bool(explanation["evidence"])
        if by_units and vertebra["grade"] not in (None, healthy):
            yield vertebra

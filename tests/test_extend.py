"""The page on extending is followed step by step, in this process and from files of its own."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spinexplain.config.heads import HEADS
from spinexplain.config.tasks import TASKS
from spinexplain.evaluate.figures import summarize
from spinexplain.evaluate.metrics import METRICS
from spinexplain.evaluate.predictions import Origin, predictions_table
from spinexplain.explainers.registry import EXPLAINERS
from spinexplain.findings.assess import explain
from spinexplain.models.grader import Grader
from spinexplain.models.trunks.backbones import BACKBONES
from spinexplain.report.html import SECTIONS, write_report
from spinexplain.train.grading.recipes import train_model

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "extend.md"
REGISTRIES = (BACKBONES, HEADS, EXPLAINERS, METRICS, SECTIONS)


@pytest.fixture
def extended(tmp_path, monkeypatch):
    """Every block of the page done: files written where it says, the lines run in order."""
    monkeypatch.syspath_prepend(tmp_path)
    before = [set(registry) for registry in REGISTRIES]
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        named = re.match(r"# (\w+\.py)\n", block)
        if named:
            (tmp_path / named[1]).write_text(block)
            monkeypatch.delitem(sys.modules, named[1].removesuffix(".py"), raising=False)
        else:
            exec(compile(block, str(PAGE), "exec"), {})
    added = [set(registry) - known for registry, known in zip(REGISTRIES, before, strict=True)]
    yield added
    for registry, names in zip(REGISTRIES, added, strict=True):
        for name in names:
            del registry[name]


def test_each_thing_is_added_by_one_line(extended):
    assert [len(names) for names in extended] == [1, 1, 1, 1, 1]


def test_the_new_backbone_and_head_are_trained_and_explained(
    extended, toy_set, toy_config, tmp_path
):
    config = toy_config(trunk={"name": "coarse"}, head={"kind": "peak"})
    trained = train_model(config, toy_set(), tmp_path / "run")
    assert type(trained.model).__name__ == "PeakNet"
    assert trained.model.trunk.field.stride == 8
    grader = Grader.from_module(trained.model, config.input, config.task)
    assert grader.classes == ("G0", "G2", "G3")


def test_the_new_explainer_goes_into_the_report_beside_the_new_section(extended, lumbar, tmp_path):
    item = lumbar.vertebrae[1]
    first = item.assessments[0]
    grader = Grader.from_module(_nothing(), _spec(), first.grading.task)
    explanation = explain(grader, item.patch, "G2", "bright")
    item = replace(item, assessments=(replace(first, explanation=explanation),))
    scan = replace(lumbar, vertebrae=(item,), source=replace(lumbar.source, name="<b>ct"))
    text = write_report(scan, tmp_path).read_text("utf-8")
    assert "dense bone" in text
    assert "<p>1 levels of &lt;b&gt;ct</p>" in text


def test_the_new_metric_is_in_every_evaluation(extended):
    import pandas as pd

    labels, scores = np.tile([0, 1, 1, 1], 4), np.eye(2)[[0, 1, 0, 1] * 4]
    subjects = [f"s{i}" for i in range(16)]
    rows = pd.DataFrame({"subject": subjects, "series": "ct", "level": "L1", "grade": "G0"})
    table = predictions_table(
        Origin("m", "b", "d", "c"), rows, TASKS["fracture"].classes, scores, labels
    )
    figures = summarize(table, draws=20)["vertebra"]
    assert figures["missed_fractures"]["value"] == pytest.approx(1 / 3)
    assert figures["missed_fractures"]["low"] <= 1 / 3 <= figures["missed_fractures"]["high"]


def _nothing():
    from torch import nn

    return nn.Identity()


def _spec():
    from spinexplain.config.training import InputSpec

    return InputSpec()

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from app.conftest import act
from spinexplain.anatomy import VertebraLevel
from spinexplain.app import regraded
from spinexplain.app.regraded import under_names
from spinexplain.errors import FileFormatError


@pytest.fixture
def graded_alike(lumbar, monkeypatch):
    """A second grading finds what the first found; counts how often it was asked."""
    asked = []

    def grade(inputs, request):
        asked.append(request)
        return lumbar

    monkeypatch.setattr(regraded, "read_inputs", lambda request: SimpleNamespace())
    monkeypatch.setattr(regraded, "grade_inputs", grade)
    return asked


def names_of(report):
    return re.findall(r'<th scope="row"><a href="#[^"]*">([TL]\d+)</a>', report)


def test_a_report_has_the_readers_names(server, ready, graded_alike):
    client = server.client()
    assert names_of(client.get(f"/scans/{ready}/report.html").text)[0] == "T12"
    act(client, ready, "shift", None, {"by": 1})
    report = client.get(f"/scans/{ready}/report.html").text
    assert names_of(report) == ["L1", "L2", "L3", "L4", "L5", "L6"]
    assert "has the reader&#39;s names" in report
    assert client.get(f"/scans/{ready}/report.html").text == report
    assert len(graded_alike) == 1  # kept for the next time


def test_where_it_is_graded_otherwise_now_the_models_names_stand_and_it_says_so(
    server, ready, graded_alike, lumbar, monkeypatch
):
    fewer = replace(lumbar, vertebrae=lumbar.vertebrae[1:])
    monkeypatch.setattr(regraded, "grade_inputs", lambda inputs, request: fewer)
    client = server.client()
    act(client, ready, "shift", None, {"by": 1})
    report = client.get(f"/scans/{ready}/report.html").text
    assert names_of(report)[0] == "T12"
    assert "the model&#39;s names stand" in report
    assert not server.folder.renamed(ready).exists()


def test_two_vertebrae_of_one_name_are_refused(lumbar):
    def called(item, level):
        vertebra = replace(item.vertebra, level=level)
        return replace(item, patch=replace(item.patch, vertebra=vertebra))

    first, second, *rest = lumbar.vertebrae
    levels = (VertebraLevel("T12"), VertebraLevel("T13"))
    both = [called(item, level) for item, level in zip((first, second), levels, strict=True)]
    scan = replace(lumbar, vertebrae=(*both, *rest))
    assert under_names(scan, 0).vertebrae[1].vertebra.level is VertebraLevel("T13")
    with pytest.raises(FileFormatError, match="two vertebrae one name"):
        under_names(scan, 1)

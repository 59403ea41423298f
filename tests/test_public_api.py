"""The public surface: everything exported exists, is sorted, and is documented."""

import inspect

import spinexplain

PUBLIC = [
    "Assessment",
    "Evidence",
    "Exemplar",
    "Explanation",
    "Found",
    "Grader",
    "Grading",
    "Heights",
    "LabelMap",
    "Localization",
    "ModelInfo",
    "Patch",
    "PrototypeDetail",
    "Provenance",
    "Result",
    "ScanFindings",
    "SpinexplainError",
    "Task",
    "UnitDetail",
    "Vertebra",
    "VertebraFindings",
    "VertebraLevel",
    "Volume",
    "explain",
    "find_vertebrae",
    "grade",
    "load_grader",
    "localize",
    "measure",
    "patches_for",
    "read_centroids",
    "read_labels",
    "read_result",
    "read_scan",
    "read_volume",
    "reformat",
    "write_report",
    "write_result",
]


def test_the_public_names_are_these_and_sorted():
    assert spinexplain.__all__ == PUBLIC
    assert sorted(PUBLIC) == PUBLIC


def test_every_public_name_resolves_and_is_documented():
    for name in spinexplain.__all__:
        thing = getattr(spinexplain, name)
        assert inspect.getdoc(thing), name
        assert thing.__module__.startswith("spinexplain."), name


def test_dir_lists_the_public_names_before_they_are_used():
    assert set(spinexplain.__all__) <= set(dir(spinexplain))


def test_unknown_names_are_attribute_errors():
    assert not hasattr(spinexplain, "no_such_name")


def test_no_module_takes_the_place_of_a_public_function():
    """Importing a sub-package sets an attribute: it must not be one of the public names."""
    from pathlib import Path

    source = Path(spinexplain.__file__).parent
    modules = {path.stem for path in source.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not modules & set(spinexplain.__all__)


def test_the_way_through_the_public_names(lumbar, tmp_path):
    """What a script does: findings, the file, the file read back."""
    path = spinexplain.write_result(lumbar, tmp_path)
    result = spinexplain.read_result(path)
    assert isinstance(result, spinexplain.Result)
    assert [item.level for item in result.vertebrae] == ["T12", "L1", "L2", "L3", "L4", "L5"]
    assert isinstance(lumbar.vertebrae[0].assessments[0], spinexplain.Assessment)
    assert isinstance(lumbar.vertebrae[0].assessments[0].grading.task, spinexplain.Task)


def test_every_public_name_is_on_the_page_of_the_api():
    """By itself, or by the module whose members the page lists."""
    from pathlib import Path

    page = (Path(__file__).parent.parent / "docs" / "api.md").read_text("utf-8")
    for name in spinexplain.__all__:
        home = f"spinexplain.{spinexplain._HOME.get(name, 'types')}"
        listed = f"::: {home}.{name}\n", f"::: {home}\n"
        assert any(line in page for line in listed), name

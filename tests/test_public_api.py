"""The public surface: everything exported exists, is sorted, and is documented."""

import inspect

import spinexplain

PUBLIC = [
    "Evidence",
    "Exemplar",
    "Explanation",
    "Grading",
    "Heights",
    "LabelMap",
    "Patch",
    "ScanFindings",
    "SpinexplainError",
    "Vertebra",
    "VertebraFindings",
    "VertebraLevel",
    "Volume",
    "explain",
    "grade",
    "load_grader",
    "localize",
    "measure",
    "read_centroids",
    "read_labels",
    "read_volume",
    "reformat",
    "write_report",
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

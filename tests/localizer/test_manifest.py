import json

import pytest

from spinexplain.errors import ModelError
from spinexplain.localizer.manifest import (
    MANIFEST,
    NAMES,
    read_checked,
    read_manifest,
    write_manifest,
)

WEIGHTS = dict.fromkeys(NAMES, "0" * 64)


def test_what_is_written_is_read_with_the_graphs_that_lie_there(tmp_path):
    (tmp_path / "body.xml").write_bytes(b"<net/>")
    (tmp_path / "other.xml").write_bytes(b"<net/>")
    write_manifest(tmp_path, "7", WEIGHTS)
    found = read_manifest(tmp_path)
    assert (found.version, found.weights) == ("7", WEIGHTS)
    assert list(found.graphs) == ["body.xml"]
    assert read_checked(tmp_path / "body.xml", found.graphs["body.xml"]) == b"<net/>"


def test_one_without_graphs_is_read(tmp_path):
    old = {"schema": "spinexplain/localizer/1", "version": "1", "sha256": WEIGHTS}
    (tmp_path / MANIFEST).write_text(json.dumps(old))
    assert read_manifest(tmp_path).graphs == {}


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"schema": "other"}', '{"version": "1", "sha256": ["curve"]}'],
)
def test_a_damaged_manifest_is_one_line(tmp_path, content):
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(ModelError, match="no whole localizer"):
        read_manifest(tmp_path)


def test_a_changed_or_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelError, match="SHA-256 none"):
        read_checked(tmp_path / "body.bin", "0" * 64)
    (tmp_path / "body.bin").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"body\.bin has SHA-256"):
        read_checked(tmp_path / "body.bin", "0" * 64)

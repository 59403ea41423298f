import json

import numpy as np
import pytest

from spinexplain.data.cohort_writer import CohortWriter, only_writer
from spinexplain.data.shard import SeriesShard
from spinexplain.errors import ConfigError, OutputError


def test_no_vertebra_no_cohort(tmp_path):
    with pytest.raises(ConfigError, match="no vertebra"):
        CohortWriter.create(tmp_path / "c").finish()


def test_labels_can_be_changed_in_the_index_only(written):
    cohort, _ = written
    writer = CohortWriter(cohort.path)
    rows = writer.rows()
    place = rows.column_names.index("grade")
    changed = rows.set_column(place, rows.schema.field("grade"), [["G3"] * len(rows)])
    assert set(writer.finish(changed).index.grade) == {"G3"}
    assert set(writer.finish().index.grade) == {"G0"}


def test_an_interrupted_cohort_is_taken_up(tmp_path, example_shard):
    first = CohortWriter.create(tmp_path / "c", {"a": 1})
    first.add_series(example_shard("a", 0))
    (tmp_path / "c" / "shards" / ".writing-xyz").mkdir()
    again = CohortWriter.create(tmp_path / "c", {"a": 1})
    assert again.notes("a", "a") == {}
    assert again.notes("b", "b") is None
    assert len(list((tmp_path / "c" / "shards").iterdir())) == 1


def test_a_finished_cohort_needs_force(written):
    cohort, _ = written
    with pytest.raises(OutputError, match="--force"):
        CohortWriter.create(cohort.path, {"patches": "2d"})
    kept = CohortWriter.create(cohort.path, {"patches": "2d"}, force=True)
    assert kept.notes("a", "a") is not None
    assert not (cohort.path / "index.parquet").exists()


def test_other_settings_never_mix(tmp_path, example_shard):
    first = CohortWriter.create(tmp_path / "c", {"a": 1})
    first.add_series(example_shard("a", 0))
    with pytest.raises(OutputError, match="other settings"):
        CohortWriter.create(tmp_path / "c", {"a": 2})
    again = CohortWriter.create(tmp_path / "c", {"a": 2}, force=True)
    assert again.notes("a", "a") is None


def test_force_never_replaces_what_is_no_cohort(tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(OutputError, match="not a cohort"):
        CohortWriter.create(tmp_path, force=True)
    assert (tmp_path / "thesis.docx").exists()


def test_a_file_is_no_place_for_a_cohort(tmp_path):
    (tmp_path / "c").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        CohortWriter.create(tmp_path / "c", force=True)
    with pytest.raises(OutputError, match="cannot be written"):
        CohortWriter.create(tmp_path / "c" / "below")


def test_settings_are_kept(written):
    cohort, _ = written
    assert cohort.settings == {"patches": "2d"}
    assert json.loads((cohort.path / "cohort.json").read_text())["settings"] == {"patches": "2d"}


def test_notes_stay_beside_their_series(tmp_path):
    writer = CohortWriter.create(tmp_path / "c")
    writer.add_series(SeriesShard("s", "s", [], {}, {"files": [1, "é"]}))
    assert writer.notes("s", "s") == {"files": [1, "é"]}


def test_series_that_are_no_longer_wanted_are_removed(written):
    cohort, _ = written
    writer = CohortWriter(cohort.path)
    again = writer.finish(writer.rows(only=[("a", "a")]))
    assert set(again.index.subject) == {"a"}
    assert writer.notes("b", "b") is None


def test_a_preview_is_the_cohort_without_its_index(written):
    cohort, _ = written
    (cohort.path / "index.parquet").unlink()
    writer = CohortWriter(cohort.path)
    preview = writer.preview(writer.rows())
    assert preview.index.equals(cohort.index)
    np.testing.assert_array_equal(preview.patches_2d[4], cohort.patches_2d[4])
    assert not (cohort.path / "index.parquet").exists()


def test_a_folder_has_one_writer_at_a_time(tmp_path):
    pytest.importorskip("fcntl")
    folder = tmp_path / "c"
    refused = pytest.raises(OutputError, match="another process is writing")
    with only_writer(folder), refused, only_writer(folder):
        pass
    with only_writer(tmp_path / "c"):
        assert (tmp_path / "c").is_dir()

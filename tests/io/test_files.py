import errno
import hashlib
import os

import pytest

from spinexplain.errors import FileFormatError, OutputError
from spinexplain.io.files import atomic_file, output_folder, sha256_file, sha256_path


def test_hash_is_that_of_the_bytes(tmp_path):
    file = tmp_path / "big.bin"
    content = os.urandom(3_000_001)
    file.write_bytes(content)
    assert sha256_file(file) == hashlib.sha256(content).hexdigest()


def test_hashing_what_is_not_there_is_one_clear_error(tmp_path):
    with pytest.raises(FileFormatError, match="no such file"):
        sha256_file(tmp_path / "missing")
    with pytest.raises(FileFormatError, match="is a folder"):
        sha256_file(tmp_path)


def crash_after_writing(file):
    file.write_text("half")
    raise RuntimeError


class TestAtomicFile:
    def test_appears_only_on_success(self, tmp_path):
        target = tmp_path / "map.nii.gz"
        with atomic_file(target) as temporary:
            assert temporary.name.endswith("map.nii.gz")
            assert temporary.parent == tmp_path
            temporary.write_text("new")
            assert not target.exists()
        assert target.read_text() == "new"
        assert os.listdir(tmp_path) == ["map.nii.gz"]

    def test_a_crash_leaves_the_old_file_and_no_litter(self, tmp_path):
        target = tmp_path / "result.json"
        target.write_text("old")
        with pytest.raises(RuntimeError), atomic_file(target) as temporary:
            crash_after_writing(temporary)
        assert target.read_text() == "old"
        assert os.listdir(tmp_path) == ["result.json"]

    def test_a_missing_folder_and_a_folder_as_target_are_refused(self, tmp_path):
        with (
            pytest.raises(OutputError, match="cannot be written"),
            atomic_file(tmp_path / "no" / "file") as temporary,
        ):
            temporary.write_text("x")
        with pytest.raises(OutputError, match="is a folder"), atomic_file(tmp_path):
            pass


class TestOutputFolder:
    def test_appears_only_on_success_with_its_parents(self, tmp_path):
        target = tmp_path / "a" / "b"
        with output_folder(target) as temporary:
            (temporary / "sub").mkdir()
            (temporary / "sub" / "file").write_text("x")
            assert not target.exists()
        assert (target / "sub" / "file").read_text() == "x"
        assert os.listdir(target.parent) == ["b"]
        assert target.stat().st_mode & 0o777 == target.parent.stat().st_mode & 0o777

    def test_a_crash_leaves_nothing(self, tmp_path):
        with pytest.raises(RuntimeError), output_folder(tmp_path / "out") as temporary:
            crash_after_writing(temporary / "file")
        assert os.listdir(tmp_path) == []

    def test_a_crash_removes_the_parents_it_made_and_no_others(self, tmp_path):
        mine = tmp_path / "mine"
        mine.mkdir()
        with pytest.raises(RuntimeError), output_folder(mine / "a" / "b" / "out") as temporary:
            crash_after_writing(temporary / "file")
        assert os.listdir(mine) == []

    def test_a_parent_that_came_into_use_stays(self, tmp_path):
        with pytest.raises(RuntimeError), output_folder(tmp_path / "a" / "out") as temporary:
            crash_after_writing(temporary.parent / "notes.txt")
        assert os.listdir(tmp_path / "a") == ["notes.txt"]

    def test_an_existing_folder_is_refused_without_force(self, tmp_path):
        (tmp_path / "out").mkdir()
        with pytest.raises(OutputError, match="--force"), output_folder(tmp_path / "out"):
            pytest.fail("must not get here")

    def test_force_replaces_its_own_folder_whole(self, tmp_path):
        for name in ("first", "second"):
            with output_folder(tmp_path / "out", force=True) as temporary:
                (temporary / name).write_text(name)
        assert sorted(os.listdir(tmp_path / "out")) == [".spinexplain", "second"]
        assert os.listdir(tmp_path) == ["out"]

    def test_a_crash_while_replacing_keeps_the_old_folder(self, tmp_path):
        with output_folder(tmp_path / "out") as temporary:
            (temporary / "old").write_text("x")
        with pytest.raises(RuntimeError), output_folder(tmp_path / "out", force=True):
            raise RuntimeError
        assert (tmp_path / "out" / "old").exists()
        assert os.listdir(tmp_path) == ["out"]

    def test_force_never_replaces_a_folder_of_the_users(self, tmp_path):
        scans = tmp_path / "scans"
        scans.mkdir()
        (scans / "ct.nii.gz").write_text("precious")
        with (
            pytest.raises(OutputError, match="did not write"),
            output_folder(scans, force=True),
        ):
            pytest.fail("must not get here")
        assert (scans / "ct.nii.gz").read_text() == "precious"

    def test_force_fills_an_empty_folder(self, tmp_path):
        (tmp_path / "out").mkdir()
        with output_folder(tmp_path / "out", force=True) as temporary:
            (temporary / "file").write_text("x")
        assert (tmp_path / "out" / "file").exists()

    def test_force_replaces_no_file_and_no_link(self, tmp_path):
        (tmp_path / "file").write_text("x")
        (tmp_path / "link").symlink_to(tmp_path)
        for name in ("file", "link"):
            with (
                pytest.raises(OutputError, match="is no folder"),
                output_folder(tmp_path / name, force=True),
            ):
                pytest.fail("must not get here")

    def test_a_file_in_the_way_of_the_parents_is_one_clear_error(self, tmp_path):
        (tmp_path / "file").write_text("x")
        with (
            pytest.raises(OutputError, match="cannot be written"),
            output_folder(tmp_path / "file" / "out"),
        ):
            pytest.fail("must not get here")

    def test_a_full_disk_is_one_clear_error_and_leaves_nothing(self, tmp_path):
        with (
            pytest.raises(OutputError, match="No space left"),
            output_folder(tmp_path / "out"),
        ):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        assert os.listdir(tmp_path) == []


def test_an_error_inside_names_the_folder_that_was_asked_for(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(OutputError) as raised, output_folder(out) as temporary:
        raise OutputError(f"{temporary / 'report.html'}: cannot be written (disk full).")
    assert str(out / "report.html") in str(raised.value)


def test_a_folder_that_is_added_to(tmp_path):
    from spinexplain.io.files import kept_folder

    assert kept_folder(tmp_path / "a" / "b", 0o700).stat().st_mode & 0o777 == 0o700
    kept_folder(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file/a: cannot be written"):
        kept_folder(tmp_path / "file" / "a")


def test_the_hash_of_a_folder_changes_with_any_of_its_files(tmp_path):
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "two").write_bytes(b"2")
    before = sha256_path(tmp_path)
    assert before == sha256_path(tmp_path)
    (tmp_path / "two").rename(tmp_path / "three")
    renamed = sha256_path(tmp_path)
    (tmp_path / "three").write_bytes(b"3")
    assert len({before, renamed, sha256_path(tmp_path)}) == 3
    assert sha256_path(tmp_path / "one") == sha256_file(tmp_path / "one")

"""Writing files whole: old content or new, never a half, and no leftovers."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from workbench import atomic
from workbench.atomic import (
    WorkFolder,
    no_longer_written,
    private_file,
    remove_left,
    replacing,
    write_whole,
)
from workbench.errors import StoreError


def test_text_is_written_as_utf8_and_bytes_as_they_are(tmp_path):
    assert write_whole(tmp_path / "a", "简历").read_bytes() == "简历".encode()
    assert write_whole(str(tmp_path / "b"), b"\xff\x00").read_bytes() == b"\xff\x00"


def test_folders_on_the_way_are_made(tmp_path):
    assert write_whole(tmp_path / "x" / "y" / "file.json", "{}").read_text() == "{}"


def test_an_existing_file_is_replaced(tmp_path):
    target = tmp_path / "file"
    write_whole(target, "a long first version")
    assert write_whole(target, "short").read_text() == "short"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    target = write_whole(tmp_path / "file", "old")

    def full_disk(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full_disk)
    with pytest.raises(StoreError, match=r"file cannot be written \(No space left on device\)"):
        write_whole(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no locks that a killed process leaves free")
def test_a_draft_that_a_killed_process_has_left_goes_with_the_next_and_one_that_is_written_stays(
    tmp_path,
):
    (tmp_path / ".cv.csv.draft-deadbeef.csv").write_text("whose writer was killed")
    (tmp_path / ".cv.csv.mine").write_text("somebody's")
    with replacing(tmp_path / "cv.csv") as slow:
        slow.write_text("first")
        write_whole(tmp_path / "cv.csv", "second")
        assert slow.exists()
    assert (tmp_path / "cv.csv").read_text() == "first"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".cv.csv.mine", "cv.csv"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no locks that a killed process leaves free")
class TestTemporaryFolders:
    @pytest.fixture(autouse=True)
    def place(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def test_one_goes_with_its_object_and_another_with_whoever_comes_after_a_kill(self, tmp_path):
        program = (
            "import os, sys, tempfile; from workbench.atomic import WorkFolder; "
            "tempfile.tempdir = sys.argv[1]; folder = WorkFolder(); "
            "open(f'{folder.name}/cv.txt', 'w').write('text'); os.kill(os.getpid(), 9)"
        )
        subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
        (left,) = tmp_path.iterdir()
        assert (left / "cv.txt").exists()
        with WorkFolder() as mine:
            remove_left()
            assert list(tmp_path.iterdir()) == [Path(mine)]
            assert Path(mine).stat().st_mode & 0o777 == 0o700
        assert list(tmp_path.iterdir()) == []

    def test_what_is_not_ours_stays_whatever_its_name(self, tmp_path):
        (tmp_path / "elsewhere" / ".workbench").mkdir(parents=True)
        (tmp_path / "workbench-link").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "workbench-notes").write_text("mine")
        (tmp_path / "workbench-project").mkdir()
        (tmp_path / "workbench-left" / ".workbench").mkdir(parents=True)
        (tmp_path / "workbench-left" / "way_out").symlink_to(tmp_path / "elsewhere")
        before = {*tmp_path.rglob("*")}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "getuid", lambda: 4711)
            remove_left()
        assert {*tmp_path.rglob("*")} == before
        remove_left()
        gone = {path.name for path in before - {*tmp_path.rglob("*")}}
        assert gone == {"workbench-left", ".workbench", "way_out"}
        assert (tmp_path / "elsewhere" / ".workbench").exists()


def test_what_is_noted_while_others_are_struck_off_is_not_lost(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    old, new = tmp_path / "old", tmp_path / "new"
    private_file(old)
    other = threading.Thread(target=private_file, args=[new])
    read = atomic.written

    def read_as_the_other_comes():
        found = read()
        other.start()
        other.join(0.3)
        return found

    monkeypatch.setattr(atomic, "written", read_as_the_other_comes)
    no_longer_written({old})
    other.join()
    assert read() == {new}


def test_a_file_where_a_folder_is_needed_is_said_in_a_sentence(tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(StoreError, match=r"cannot be written.*choose another folder"):
        write_whole(tmp_path / "taken" / "file", "x")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_said_in_a_sentence(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(StoreError, match=r"Permission denied.*choose another folder"):
        write_whole(tmp_path / "file", "x")

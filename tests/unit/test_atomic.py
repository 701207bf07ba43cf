"""Writing files whole: old content or new, never a half, and no leftovers."""

from __future__ import annotations

import os
import stat

import pytest

from workbench.atomic import replacing, write_whole
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


def test_a_file_where_a_folder_is_needed_is_said_in_a_sentence(tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(StoreError, match=r"cannot be written.*choose another folder"):
        write_whole(tmp_path / "taken" / "file", "x")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_said_in_a_sentence(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(StoreError, match=r"Permission denied.*choose another folder"):
        write_whole(tmp_path / "file", "x")

"""Knowledge bases that an older workbench wrote are read, moved over once, and lose nothing.

They lie in ``tests/data``; ``expected.json`` is what the older workbench itself said of them. ``plain`` and
``removed`` hold what killed processes had left half written, too.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from functools import cache
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from character_encoder import CharacterEncoder
from filelock import FileLock
from interrupts import stop_at, without_privileges
from toy_encoders import ToyEncoder

from workbench.encoders import load_encoder
from workbench.errors import StoreError
from workbench.retrieval import KnowledgeBase, choosing, folder_store

pytestmark = pytest.mark.slow

OLD = Path(__file__).parents[1] / "data" / "old_folders"
EXPECTED = json.loads((OLD / "expected.json").read_text(encoding="utf-8"))


class Recorded:
    """An encoder under the recipe that it had when the folders were written."""

    def __init__(self, encoder, entry: Mapping):
        self._encoder = encoder
        self.fingerprint, self.recipe, self.name = entry["fingerprint"], entry["recipe"], entry["name"]

    def __getattr__(self, name):
        return getattr(self._encoder, name)


@cache
def encoder_of(name):
    entry = EXPECTED[name]["encoder"]
    known = {"characters": CharacterEncoder(), "toy": ToyEncoder()}
    return Recorded(known.get(entry["name"]) or load_encoder("use", store=False), entry)


@pytest.fixture(params=sorted(EXPECTED))
def name(request):
    return request.param


@pytest.fixture
def folder(name, tmp_path):
    return Path(shutil.copytree(OLD / name, tmp_path / "kb"))


def check(base, name, hits=True):
    expected = EXPECTED[name]
    assert base.texts == expected["texts"]
    assert list(base._store.contents.records) == expected["metadata"]
    info = base.info()
    assert (info.created, info.changed) == (expected["created"], expected["changed"])
    assert base._store.state.encoder == expected["encoder"]
    assert base._store.state.generation == expected["generation"]
    vectors = np.load(OLD / name / f"vectors-{expected['generation']:06d}.npy") if expected["texts"] else []
    np.testing.assert_array_equal(base.vectors, np.reshape(vectors, (-1, info.dimension)))
    if expected["hits"] and hits:
        found = base.search("python", cutoff=0.5, exact=True)
        assert [[hit["index"], hit["score"]] for hit in found] == [
            [row, pytest.approx(score, abs=1e-6)] for row, score in expected["hits"]
        ]


class TestMovedOver:
    def test_all_is_there(self, folder, name):
        check(KnowledgeBase.open(folder, encoder_of(name)), name)

    def test_it_is_there_without_its_encoder_too(self, folder, name):
        check(KnowledgeBase.open(folder, create=False), name, hits=False)

    def test_only_what_is_needed_is_left(self, folder, name):
        needed = f"vectors-{EXPECTED[name]['generation']:06d}.npy"
        before = {path.name: path.read_bytes() for path in folder.glob("vectors-*") if path.name == needed}
        KnowledgeBase.open(folder)
        after = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert after.pop("knowledge_base.sqlite")
        # The vectors are not copied.
        assert after == before

    def test_it_is_done_once(self, folder, name, monkeypatch):
        KnowledgeBase.open(folder)
        monkeypatch.setattr("workbench.retrieval.old_folders.read", None)
        check(KnowledgeBase.open(folder, encoder_of(name)), name)

    def test_it_can_be_changed_afterwards(self, folder, name):
        base = KnowledgeBase.open(folder, encoder_of(name))
        n = len(base)
        assert base.add(["golang", *base.texts[:2]]).added == 1
        again = KnowledgeBase.open(folder, encoder_of(name))
        assert again.texts == [*EXPECTED[name]["texts"], "golang"]
        np.testing.assert_array_equal(again.vectors[n:], encoder_of(name).encode_documents(["golang"]))
        assert len(again.search("golang", k=n + 1, cutoff=0.5)) == n + 1
        assert again.remove([n]) == 1
        assert KnowledgeBase.open(folder).texts == EXPECTED[name]["texts"]
        assert len(list(folder.glob("vectors-*"))) == 1

    @pytest.mark.parametrize("name", ["plain", "removed", "indexed"])
    def test_stopped_anywhere_it_is_made_up_for(self, name, tmp_path, monkeypatch):
        for step in count():
            folder = Path(shutil.copytree(OLD / name, tmp_path / str(step)))
            with monkeypatch.context() as patch:
                stopped = stop_at(step, KeyboardInterrupt, patch)
                with suppress(KeyboardInterrupt):
                    KnowledgeBase.open(folder)
            base = KnowledgeBase.open(folder, encoder_of(name))
            check(base, name)
            base.add(["golang"])
            assert not list(folder.glob("rows-*")) + list(folder.glob("manifest.json"))
            if not stopped:
                break
        assert step > 20

    def test_the_index_is_kept(self, tmp_path, monkeypatch):
        monkeypatch.setattr(choosing, "QUICK", 100)
        monkeypatch.setattr(choosing, "FEWEST_ROWS", 64)
        monkeypatch.setattr(choosing, "build_quantised", None)
        folder = Path(shutil.copytree(OLD / "indexed", tmp_path / "kb"))
        base = KnowledgeBase.open(folder, encoder_of("indexed"))
        assert base.info().recall == EXPECTED["indexed"]["index"]["recall"]
        assert base.search("python", cutoff=0.5)[0]["index"] == EXPECTED["indexed"]["hits"][0][0]
        assert base._store.read_codes() == (OLD / "indexed" / "index-000001-80.faiss").read_bytes()

    def test_that_there_is_no_index_good_enough_is_kept(self, tmp_path, monkeypatch):
        monkeypatch.setattr(choosing, "QUICK", 100)
        monkeypatch.setattr(choosing, "FEWEST_ROWS", 64)
        folder = Path(shutil.copytree(OLD / "not_approximable", tmp_path / "kb"))
        assert "no approximation was good enough" in KnowledgeBase.open(folder).info().index

    def test_an_index_that_is_damaged_is_left_behind(self, tmp_path):
        folder = Path(shutil.copytree(OLD / "indexed", tmp_path / "kb"))
        (folder / "index-000001-80.faiss").write_bytes(b"not codes")
        base = KnowledgeBase.open(folder, encoder_of("indexed"))
        assert base._store.read_codes() is None
        check(base, "indexed")


class TestWhatCannotBeMoved:
    def test_one_that_may_only_be_read_is_read_as_it_is(self, name):
        # A folder of tmp_path lies in one that nobody else may enter.
        with tempfile.TemporaryDirectory() as above:
            Path(above).chmod(0o755)
            folder = Path(shutil.copytree(OLD / name, Path(above) / "kb"))
            before = {path.name: path.read_bytes() for path in folder.iterdir()}
            with without_privileges():
                base = KnowledgeBase.open(folder, encoder_of(name))
                check(base, name)
                with pytest.raises(StoreError, match=r"kb cannot be written \(Permission denied\)"):
                    base.add(["golang"])
            assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
            assert base.add(["golang"]).added == 1
            assert KnowledgeBase.open(folder).texts == [*EXPECTED[name]["texts"], "golang"]

    def test_one_that_an_older_workbench_is_writing_to_is_read_as_it_is(self, tmp_path, monkeypatch):
        monkeypatch.setattr(folder_store, "LOCK_SECONDS", 0.1)
        folder = Path(shutil.copytree(OLD / "plain", tmp_path / "kb"))
        with FileLock(folder / ".lock"):
            check(KnowledgeBase.open(folder, encoder_of("plain")), "plain")
            assert (folder / "manifest.json").exists()
        check(KnowledgeBase.open(folder, encoder_of("plain")), "plain")
        assert not (folder / "manifest.json").exists()

    @pytest.mark.parametrize(
        ("file", "change", "said"),
        [
            ("manifest.json", lambda old: old[:100], r"manifest\.json cannot be read .*from a copy"),
            ("manifest.json", lambda old: b"[]", r"its 'schema' should be"),
            (
                "manifest.json",
                lambda old: old.replace(b'"n": 5', b'"n": null'),
                "cannot be read as the",
            ),
            ("manifest.json", lambda old: old.replace(b'"n": 5', b'"n": -1'), "a count is negative"),
            (
                "manifest.json",
                lambda old: re.sub(rb'"dimension": \d+', b'"dimension": Infinity', old),
                "cannot be interpreted as an integer",
            ),
            ("manifest.json", lambda old: old.replace(b'version": 1', b'version": 2'), "version 1"),
            (
                "rows-000001.jsonl",
                lambda old: old.replace(b"java", b"lava"),
                "damaged.*add the texts",
            ),
            ("rows-000001.jsonl", lambda old: old[:300], r"rows-000001\.jsonl is damaged"),
            ("vectors-000001.npy", lambda old: old[:-40], r"vectors-000001\.npy is damaged"),
        ],
    )
    def test_one_that_is_damaged_is_named_and_left_as_it_is(self, tmp_path, file, change, said):
        folder = Path(shutil.copytree(OLD / "plain", tmp_path / "kb"))
        (folder / file).write_bytes(change((folder / file).read_bytes()))
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        with pytest.raises(StoreError, match=said):
            KnowledgeBase.open(folder, encoder_of("plain"))
        assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"} == before

    @pytest.mark.parametrize("file", ["rows-000001.jsonl", "vectors-000001.npy"])
    def test_a_missing_file_is_named(self, tmp_path, file):
        folder = Path(shutil.copytree(OLD / "plain", tmp_path / "kb"))
        (folder / file).unlink()
        with pytest.raises(StoreError, match=f"{file} is missing"):
            KnowledgeBase.open(folder)

    def test_vectors_that_are_damaged_are_named_before_they_are_searched(self, tmp_path):
        folder = Path(shutil.copytree(OLD / "plain", tmp_path / "kb"))
        path = folder / "vectors-000001.npy"
        content = bytearray(path.read_bytes())
        content[200] ^= 1
        path.write_bytes(content)
        with pytest.raises(StoreError, match=r"vectors-000001\.npy is damaged: its checksum"):
            KnowledgeBase.open(folder, encoder_of("plain")).search("python", cutoff=0.5)

    def test_a_manifest_of_something_else_is_not_removed(self, tmp_path):
        folder = Path(shutil.copytree(OLD / "plain", tmp_path / "kb"))
        KnowledgeBase.open(folder)
        (folder / "manifest.json").write_text('{"name": "a page"}')
        KnowledgeBase.open(folder, encoder_of("plain")).add(["golang"])
        assert (folder / "manifest.json").read_text() == '{"name": "a page"}'


def test_the_file_of_texts_says_what_it_is(tmp_path):
    folder = Path(shutil.copytree(OLD / "plain", tmp_path / "kb"))
    KnowledgeBase.open(folder)
    with closing(sqlite3.connect(folder / "knowledge_base.sqlite")) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (int.from_bytes(b"wbKB", "big"),)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)

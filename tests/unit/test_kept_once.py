"""A vector is kept once, by its knowledge base or else by the store, and nothing is encoded twice."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from interrupts import stop_at
from toy_encoders import ToyEncoder

import workbench
from workbench.encoders import EmbeddingStore, StoredEncoder
from workbench.errors import StoreError
from workbench.retrieval import KnowledgeBase

TEXTS = [f"text {number}" for number in range(9)]


@pytest.fixture
def store(tmp_path):
    with EmbeddingStore(tmp_path / "cache" / "embeddings.sqlite") as store:
        yield store


@pytest.fixture
def folder(store, tmp_path):
    """Of a knowledge base that was filled by an encoder with this store."""
    KnowledgeBase.open(tmp_path / "kb", StoredEncoder(ToyEncoder(), store)).add(TEXTS)
    return tmp_path / "kb"


def asked(store, act, **options):
    """What an encoder with this store is asked to encode meanwhile."""
    bare = ToyEncoder(**options)
    act(StoredEncoder(bare, store))
    return bare.texts_asked


def bytes_on_disk(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


class TestOnDisk:
    def test_the_store_keeps_none_of_what_a_knowledge_base_keeps(self, store, folder):
        assert store.statistics().n_embeddings == 0
        np.testing.assert_array_equal(
            KnowledgeBase.open(folder).vectors, ToyEncoder().encode_documents(TEXTS)
        )

    def test_no_bytes_of_a_vector_are_there_twice(self, store, folder, tmp_path):
        vectors = KnowledgeBase.open(folder).vectors
        with store._database.reading() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        content = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
        assert [sum(c.count(vector.tobytes()) for c in content) for vector in vectors] == [1] * len(TEXTS)

    def test_the_room_that_the_store_took_meanwhile_is_given_back(self, store, tmp_path):
        class Wide(ToyEncoder):
            dimension = 2048

            def encode_batches(self, texts, role):
                yield np.arange(len(texts)), np.random.default_rng(0).normal(size=(len(texts), 2048))

        texts = [f"text {number}" for number in range(1000)]
        KnowledgeBase.open(tmp_path / "kb", StoredEncoder(Wide(), store)).add(texts)
        with store._database.reading() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = 1000 * 2048 * 4
        assert size < bytes_on_disk(tmp_path) < 1.1 * size

    def test_what_the_store_had_before_goes_to_the_knowledge_base(self, store, tmp_path):
        encoder = StoredEncoder(ToyEncoder(), store)
        encoder.encode_documents([*TEXTS, "another"])
        encoder.encode_queries(TEXTS[:2])
        base = KnowledgeBase.open(tmp_path / "kb", encoder)
        assert asked(store, lambda encoder: base.add(TEXTS)) == []
        [held] = store.statistics().encoders
        assert (held.n_documents, held.n_queries) == (1, 2)

    def test_one_in_memory_leaves_vectors_to_the_store(self, store):
        KnowledgeBase.from_texts(TEXTS, StoredEncoder(ToyEncoder(), store))
        assert store.statistics().n_embeddings == len(TEXTS)

    def test_a_handing_over_that_failed_is_made_up_for_by_the_next_one(self, store, tmp_path, monkeypatch):
        encoder = StoredEncoder(ToyEncoder(), store)
        base = KnowledgeBase.open(tmp_path / "kb", encoder)

        def refuse(*arguments):
            raise StoreError("no room")

        with monkeypatch.context() as patch:
            patch.setattr(EmbeddingStore, "entrust", refuse)
            base.add(TEXTS)
        assert store.statistics().n_embeddings == len(TEXTS)
        base.add(["one more"])
        assert store.statistics().n_embeddings == 0
        assert asked(store, lambda encoder: encoder.encode_documents([*TEXTS, "one more"])) == []


class TestNothingIsEncodedTwice:
    def test_by_whoever_asks_for_documents(self, store, folder):
        vectors = StoredEncoder(ToyEncoder(), store).encode_documents([*TEXTS, TEXTS[3]])
        np.testing.assert_array_equal(vectors, ToyEncoder().encode_documents([*TEXTS, TEXTS[3]]))
        assert asked(store, lambda encoder: encoder.encode_documents([TEXTS[3], "new", TEXTS[0]])) == ["new"]

    def test_by_another_knowledge_base(self, store, folder, tmp_path):
        def add(encoder):
            KnowledgeBase.open(tmp_path / "other", encoder).add([*TEXTS[5:], "new"])

        assert asked(store, add) == ["new"]
        other = KnowledgeBase.open(tmp_path / "other")
        np.testing.assert_array_equal(other.vectors, ToyEncoder().encode_documents([*TEXTS[5:], "new"]))

    def test_by_another_process(self, store, folder):
        program = (
            "import sys; from toy_encoders import ToyEncoder\n"
            "from workbench.encoders import EmbeddingStore, StoredEncoder\n"
            "bare, store = ToyEncoder(), EmbeddingStore(sys.argv[1])\n"
            "StoredEncoder(bare, store).encode_documents(sys.argv[2:]); print(bare.asked)"
        )
        here = os.pathsep.join([str(Path(__file__).parents[1]), str(Path(workbench.__file__).parents[1])])
        done = subprocess.run(
            [sys.executable, "-c", program, str(store.path), *TEXTS],
            env={**os.environ, "PYTHONPATH": here},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "[]\n"

    def test_as_a_query_it_is_another_vector(self, store, folder):
        assert asked(store, lambda encoder: encoder.encode_queries(TEXTS[:1])) == TEXTS[:1]

    def test_by_another_encoder_it_is_another_vector(self, store, folder):
        assert asked(store, lambda encoder: encoder.encode_documents(TEXTS), name="other") == TEXTS

    def test_when_adding_was_interrupted(self, store, tmp_path):
        base = KnowledgeBase.open(tmp_path / "kb", StoredEncoder(ToyEncoder(stop_at=3), store))
        with pytest.raises(KeyboardInterrupt):
            base.add(TEXTS)
        assert len(base) == 0

        def add(encoder):
            KnowledgeBase.open(tmp_path / "kb", encoder).add(TEXTS)

        assert asked(store, add) == TEXTS[6:]
        assert store.statistics().n_embeddings == 0

    def test_when_going_back_to_the_encoder_before(self, store, folder):
        def to(encoder):
            KnowledgeBase.open(folder, encoder, reencode=True)

        assert asked(store, to, name="other") == TEXTS
        assert asked(store, to) == []
        assert asked(store, to, name="other") == []
        # Those of the encoder before are left to the store.
        assert {encoder.name: encoder.n_documents for encoder in store.statistics().encoders} == {
            "toy": len(TEXTS),
            "other": 0,
        }

    @pytest.mark.slow
    @pytest.mark.parametrize("change", ["add", "reencode"])
    def test_wherever_a_change_stops(self, tmp_path, monkeypatch, change):
        for step in count():
            store, folder = EmbeddingStore(tmp_path / f"{step}.sqlite"), tmp_path / str(step)
            toy, other = (StoredEncoder(ToyEncoder(name=name), store) for name in ("toy", "other"))
            base = KnowledgeBase.open(folder, toy)
            toy.encode_documents(TEXTS)
            if change == "reencode":
                base.add(TEXTS)
                other.encode_documents(TEXTS)
            with monkeypatch.context() as patch:
                stopped = stop_at(step, KeyboardInterrupt, patch)
                with suppress(KeyboardInterrupt):
                    if change == "add":
                        base.add(TEXTS)
                    else:
                        KnowledgeBase.open(folder, other, reencode=True)
            for encoder in (toy, other)[: 1 + (change == "reencode")]:
                vectors, known = store.get(encoder.fingerprint, "document", TEXTS, dimension=4)
                assert known.all()
                np.testing.assert_array_equal(vectors, encoder.encoder.encode_documents(TEXTS))
            store.close()
            if not stopped:
                break
        assert step > 20


class TestWhenAKnowledgeBaseIsNotThere:
    def test_its_texts_are_encoded_anew(self, store, folder):
        shutil.rmtree(folder)
        assert asked(store, lambda encoder: encoder.encode_documents(TEXTS)) == TEXTS

    @pytest.mark.parametrize("file", ["knowledge_base.sqlite", "vectors-000001.npy"])
    @pytest.mark.parametrize("change", [lambda old: b"", lambda old: old[:100], lambda old: b"x" * 999])
    def test_one_that_is_damaged_is_passed_over(self, store, folder, file, change):
        (folder / file).write_bytes(change((folder / file).read_bytes()))
        assert asked(store, lambda encoder: encoder.encode_documents(TEXTS)) == TEXTS

    def test_vectors_that_are_not_of_unit_length_are_passed_over(self, store, folder):
        vectors = np.load(folder / "vectors-000001.npy")
        vectors[3] = 7
        np.save(folder / "vectors-000001.npy", vectors)
        assert asked(store, lambda encoder: encoder.encode_documents(TEXTS)) == [TEXTS[3]]

    def test_what_was_removed_from_it_is_gone_and_the_rest_is_found(self, store, folder):
        KnowledgeBase.open(folder).remove([0, 4])
        expected = ToyEncoder().encode_documents(TEXTS)
        read, known = store.get(ToyEncoder().fingerprint, "document", TEXTS, dimension=4)
        assert np.flatnonzero(~known).tolist() == [0, 4]
        np.testing.assert_array_equal(read[known], expected[known])

    def test_one_of_another_encoder_by_now_is_not_asked(self, store, folder):
        KnowledgeBase.open(folder, ToyEncoder(name="other"), reencode=True)
        assert asked(store, lambda encoder: encoder.encode_documents(TEXTS)) == TEXTS

    def test_one_that_was_moved_is_known_again_once_it_is_added_to(self, store, folder, tmp_path):
        folder.rename(tmp_path / "moved")
        KnowledgeBase.open(tmp_path / "moved", StoredEncoder(ToyEncoder(), store)).add(["one more"])
        assert asked(store, lambda encoder: encoder.encode_documents([*TEXTS, "one more"])) == []


def test_a_store_of_an_older_workbench_is_read_and_filled(tmp_path):
    path = tmp_path / "embeddings.sqlite"
    with EmbeddingStore(path) as store:
        StoredEncoder(ToyEncoder(), store).encode_documents(TEXTS)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE knowledge_base")
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.commit()
        connection.execute("VACUUM")
    with EmbeddingStore(path) as store:
        assert asked(store, lambda encoder: encoder.encode_documents(TEXTS)) == []
        encoder = StoredEncoder(ToyEncoder(), store)
        KnowledgeBase.open(tmp_path / "kb", encoder).add(TEXTS)
        assert store.statistics().n_embeddings == 0
        assert asked(store, lambda encoder: encoder.encode_documents(TEXTS)) == []
        store.clear()
        with store._database.reading() as connection:
            assert connection.execute("PRAGMA auto_vacuum").fetchone() == (1,)

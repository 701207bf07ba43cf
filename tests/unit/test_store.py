"""The embedding store: what was put is there, for everybody, after anything."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interrupts import without_privileges
from toy_encoders import ToyEncoder

from workbench.encoders import EmbeddingStore, Encoder, StoredEncoder
from workbench.errors import EncoderError, InputError, StoreError

TESTS = Path(__file__).parents[1]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "embeddings.sqlite"


@pytest.fixture
def store(path):
    with EmbeddingStore(path) as store:
        yield store


def unit_vectors(n, dimension=4, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(n, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class TestPutAndGet:
    def test_vectors_come_back_bit_by_bit_in_the_order_asked(self, store):
        vectors = unit_vectors(3)
        store.put("f", "document", ["a", "b", "c"], vectors)
        read, known = store.get("f", "document", ["c", "a"], dimension=4)
        assert known.tolist() == [True, True]
        np.testing.assert_array_equal(read, vectors[[2, 0]])

    def test_what_is_not_stored_is_not_known(self, store):
        store.put("f", "document", ["a"], unit_vectors(1))
        _, known = store.get("f", "document", ["a", "b", "a"], dimension=4)
        assert known.tolist() == [True, False, True]

    def test_an_empty_store_knows_nothing(self, store):
        vectors, known = store.get("f", "query", ["a"], dimension=7)
        assert vectors.shape == (1, 7)
        assert known.tolist() == [False]

    @pytest.mark.parametrize(("fingerprint", "role"), [("other", "document"), ("f", "query")])
    def test_another_fingerprint_or_role_is_another_vector(self, store, fingerprint, role):
        store.put("f", "document", ["a"], unit_vectors(1))
        assert not store.get(fingerprint, role, ["a"], dimension=4)[1].any()

    def test_the_first_vector_of_a_text_stays(self, store):
        first, second = unit_vectors(2)
        store.put("f", "document", ["a"], first[None])
        store.put("f", "document", ["a"], second[None])
        np.testing.assert_array_equal(store.get("f", "document", ["a"], dimension=4)[0][0], first)

    def test_many_more_texts_than_one_query_takes(self, store):
        texts = [f"text {number}" for number in range(2345)]
        vectors = unit_vectors(len(texts))
        store.put("f", "query", texts, vectors)
        read, known = store.get("f", "query", texts[::-1], dimension=4)
        assert known.all()
        np.testing.assert_array_equal(read, vectors[::-1])

    @settings(max_examples=30)
    @given(texts=st.lists(st.text(st.characters(codec=None)), min_size=1, max_size=20, unique=True))
    def test_any_two_different_texts_are_told_apart(self, tmp_path_factory, texts):
        vectors = unit_vectors(len(texts))
        with EmbeddingStore(tmp_path_factory.mktemp("store") / "s.sqlite") as store:
            store.put("f", "query", texts, vectors)
            np.testing.assert_array_equal(store.get("f", "query", texts, dimension=4)[0], vectors)

    def test_a_closed_store_is_read_by_the_next_one(self, path):
        with EmbeddingStore(path) as store:
            store.put("f", "document", ["a"], unit_vectors(1))
        with EmbeddingStore(path) as store:
            assert store.get("f", "document", ["a"], dimension=4)[1].all()

    def test_using_a_closed_store_is_an_error(self, store):
        store.close()
        with pytest.raises(StoreError, match=r"embeddings\.sqlite is closed"):
            store.get("f", "document", ["a"], dimension=4)

    def test_vectors_without_unit_length_are_not_taken(self, store):
        with pytest.raises(InputError, match="normalise the rows"):
            store.put("f", "document", ["a"], 2 * unit_vectors(1))

    def test_nan_is_not_taken(self, store):
        with pytest.raises(InputError, match="unit length"):
            store.put("f", "document", ["a"], np.full((1, 4), np.nan, dtype=np.float32))

    def test_texts_and_rows_must_be_as_many(self, store):
        with pytest.raises(InputError, match=r"2 texts need as many rows of vectors, not shape \(3, 4\)"):
            store.put("f", "document", ["a", "b"], unit_vectors(3))

    def test_one_fingerprint_has_one_dimension(self, store):
        store.put("f", "document", ["a"], unit_vectors(1, 4))
        with pytest.raises(InputError, match="4 values under fingerprint f, not of 5"):
            store.put("f", "document", ["b"], unit_vectors(1, 5))


class TestStatisticsAndClear:
    def test_vectors_are_counted_by_encoder_and_role(self, store):
        store.put("f1", "document", ["a", "b"], unit_vectors(2), name="use")
        store.put("f1", "query", ["a"], unit_vectors(1), name="use")
        store.put("f2", "query", ["a"], unit_vectors(1, 6), name="qwen3-4b")
        first, second = store.statistics().encoders
        assert (first.name, first.dimension, first.n_documents, first.n_queries) == ("use", 4, 2, 1)
        assert (second.fingerprint, second.dimension, second.n_documents, second.n_queries) == ("f2", 6, 0, 1)
        assert store.statistics().n_embeddings == 4

    def test_the_summary_reads_as_a_list(self, store):
        store.put("f1", "document", ["a", "b"], unit_vectors(2), name="use")
        assert "2 vectors" in str(store.statistics())
        assert "use [f1], 4 dimensions: 2 documents, 0 queries" in str(store.statistics())

    def test_one_encoder_can_be_forgotten(self, store):
        store.put("f1", "document", ["a", "b"], unit_vectors(2))
        store.put("f2", "document", ["a"], unit_vectors(1))
        assert store.clear("f1") == 2
        assert [encoder.fingerprint for encoder in store.statistics().encoders] == ["f2"]

    def test_clearing_all_gives_the_room_back(self, store):
        empty = store.statistics().size
        store.put("f", "document", [f"text {n}" for n in range(500)], unit_vectors(500, 512))
        assert store.statistics().size > empty + 500 * 512 * 4
        assert store.clear() == 500
        assert store.statistics().size <= empty


class TestFilesThatCannotBeUsed:
    def test_a_file_of_another_kind_is_named_and_left_alone(self, path):
        path.parent.mkdir()
        path.write_bytes(b"name,score\n" * 1000)
        with pytest.raises(StoreError, match=rf"{re.escape(str(path))} is damaged.*Move the file away"):
            EmbeddingStore(path)
        assert path.read_bytes() == b"name,score\n" * 1000

    def test_pages_overwritten_with_noise_are_found_out(self, path):
        texts = [f"text {number}" for number in range(500)]
        with EmbeddingStore(path) as store:
            store.put("f", "document", texts, unit_vectors(500, 512))
        noise = np.random.default_rng(0).bytes(path.stat().st_size - 2 * 32768)
        with path.open("r+b") as file:
            file.seek(2 * 32768)
            file.write(noise)
        with EmbeddingStore(path) as store, pytest.raises(StoreError, match="is damaged"):
            store.get("f", "document", texts, dimension=512)

    def test_a_stored_vector_of_another_length_is_found_out(self, store, path):
        store.put("f", "document", ["a"], unit_vectors(1))
        with pytest.raises(StoreError, match="4 values instead of 5"):
            store.get("f", "document", ["a"], dimension=5)

    def test_a_stored_vector_with_other_numbers_is_found_out(self, store, path):
        store.put("f", "document", ["a"], unit_vectors(1))
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("UPDATE embedding SET vector = ?", (np.full(4, 9, dtype=np.float32).tobytes(),))
        with pytest.raises(StoreError, match="not of unit length"):
            store.get("f", "document", ["a"], dimension=4)

    def test_another_programs_database_is_not_touched(self, path):
        path.parent.mkdir()
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("CREATE TABLE mine (x)")
        with pytest.raises(StoreError, match="another program's database"):
            EmbeddingStore(path)
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]

    def test_a_store_of_a_later_version_is_not_touched(self, path):
        EmbeddingStore(path).close()
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA user_version = 99")
        with pytest.raises(StoreError, match="of version 99, this workbench reads version 1"):
            EmbeddingStore(path)

    def test_a_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(StoreError, match=r"The folder .*file.* cannot be made.*WORKBENCH_CACHE"):
            EmbeddingStore(tmp_path / "file" / "embeddings.sqlite")

    def test_a_path_that_is_a_folder(self, tmp_path):
        with pytest.raises(StoreError, match="cannot be opened or written"):
            EmbeddingStore(tmp_path)

    @pytest.mark.skipif(not hasattr(os, "seteuid"), reason="this system has no users as Unix has them")
    def test_a_folder_without_write_permission(self):
        # A folder of tmp_path lies in one that nobody else may enter.
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o555)
            with without_privileges(), pytest.raises(StoreError, match="check that the folder is writable"):
                EmbeddingStore(Path(folder) / "embeddings.sqlite")

    @pytest.mark.skipif(not hasattr(os, "seteuid"), reason="this system has no users as Unix has them")
    def test_a_store_without_write_permission(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "embeddings.sqlite"
            EmbeddingStore(path).close()
            path.chmod(0o444)
            Path(folder).chmod(0o555)
            with (
                without_privileges(),
                pytest.raises(StoreError, match="check that the folder is writable"),
                EmbeddingStore(path) as store,
            ):
                store.put("f", "document", ["a"], unit_vectors(1))

    def test_a_full_disk_loses_nothing_that_was_stored(self, store):
        store.put("f", "document", ["a"], unit_vectors(1, 512))
        with store._database.reading() as connection:
            connection.execute("PRAGMA max_page_count = 6")
        with pytest.raises(StoreError, match="no room left on the disk"):
            store.put("f", "document", [f"text {n}" for n in range(500)], unit_vectors(500, 512))
        _, known = store.get("f", "document", ["a", "text 0"], dimension=512)
        assert known.tolist() == [True, False]


class TestTwoAtOnce:
    def test_a_locked_store_is_waited_for_and_then_named(self, path):
        with EmbeddingStore(path, timeout=0.1) as store:
            store.put("f", "document", ["a"], unit_vectors(1))
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                with pytest.raises(StoreError, match=r"locked for more than 0\.1 s"):
                    store.put("f", "document", ["b"], unit_vectors(1))
                assert store.get("f", "document", ["a"], dimension=4)[1].all()  # reading goes on
                other.execute("ROLLBACK")
            store.put("f", "document", ["b"], unit_vectors(1))

    def test_threads_share_one_store(self, store):
        def put(thread):
            for number in range(20):
                store.put("f", "document", [f"{thread} {number}"], unit_vectors(1, seed=thread))

        threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.statistics().n_embeddings == 80

    def test_processes_make_and_fill_one_store(self, path):
        code = """
            import sys
            from toy_encoders import ToyEncoder
            from workbench.encoders import EmbeddingStore, StoredEncoder

            first = int(sys.argv[2])
            with EmbeddingStore(sys.argv[1]) as store:
                encoder = StoredEncoder(ToyEncoder(), store)
                for start in range(first, first + 60, 10):
                    encoder.encode_documents([f"text {n}" for n in range(start, start + 20)])
        """
        # The ranges overlap: 0-79, 40-119, 80-159.
        processes = [python(code, path, first) for first in (0, 40, 80)]
        for process in processes:
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors
        texts = [f"text {n}" for n in range(150)]
        with EmbeddingStore(path) as store:
            assert store.statistics().n_embeddings == 150
            read, known = store.get(ToyEncoder().fingerprint, "document", texts, dimension=4)
        assert known.all()
        np.testing.assert_array_equal(read, ToyEncoder().encode_documents(texts))

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork processes")
    @pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
    def test_a_forked_process_goes_on_with_a_connection_of_its_own(self, store):
        store.put("f", "document", ["parent"], unit_vectors(1))
        child = multiprocessing.get_context("fork").Process(
            target=store.put, args=("f", "document", ["child"], unit_vectors(1))
        )
        child.start()
        child.join(30)
        assert child.exitcode == 0
        store.put("f", "document", ["parent again"], unit_vectors(1))
        _, known = store.get("f", "document", ["parent", "child", "parent again"], dimension=4)
        assert known.all()

    @pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
    def test_a_killed_process_loses_nothing_that_its_progress_bar_showed(self, path):
        code = """
            import sys, time
            from toy_encoders import ToyEncoder
            from workbench.encoders import EmbeddingStore, StoredEncoder

            class Slow(ToyEncoder):
                def encode_batches(self, texts, role):
                    for batch in super().encode_batches(texts, role):
                        time.sleep(0.02)
                        yield batch

            encoder = StoredEncoder(Slow(), EmbeddingStore(sys.argv[1]))
            encoder.encode_documents([f"text {n}" for n in range(100_000)], progress=True)
        """
        process = python(code, path)
        shown = 0
        while shown < 20:
            line = process.stderr.read(80)
            assert line, "the process ended before it was killed"
            shown = max([shown, *(int(done) for done in re.findall(r" (\d+)/100000", line))])
        process.send_signal(signal.SIGKILL)
        shown = max([shown, *(int(n) for n in re.findall(r" (\d+)/100000", process.communicate()[1]))])
        assert 20 <= shown < 100_000
        texts = [f"text {n}" for n in range(shown)]
        with EmbeddingStore(path) as store:
            vectors, known = store.get(ToyEncoder().fingerprint, "document", texts, dimension=4)
        assert known.all()
        np.testing.assert_array_equal(vectors, ToyEncoder().encode_documents(texts))


class TestStoredEncoder:
    def test_it_is_an_encoder_and_says_so(self, store):
        bare = ToyEncoder()
        encoder = StoredEncoder(bare, store)
        assert isinstance(encoder, Encoder)
        for attribute in ("name", "dimension", "instruction", "recipe", "fingerprint", "device"):
            assert getattr(encoder, attribute) == getattr(bare, attribute)
        assert repr(encoder) == f"{repr(bare)[:-1]}, vectors are stored>"
        assert str(store.path.parent) not in repr(encoder)

    def test_vectors_are_those_of_the_encoder(self, store):
        texts = ["a", "b", "a", "c"]
        encoder = StoredEncoder(ToyEncoder(), store)
        for _ in range(2):
            np.testing.assert_array_equal(encoder.encode_queries(texts), ToyEncoder().encode_queries(texts))

    def test_a_text_is_encoded_once_however_often_it_comes(self, store):
        bare = ToyEncoder()
        encoder = StoredEncoder(bare, store)
        encoder.encode_documents(["a", "b", "a"])
        encoder.encode_documents(["c", "b", "c"])
        assert bare.texts_asked == ["a", "b", "c"]

    def test_another_notebook_encodes_nothing_again(self, path):
        with EmbeddingStore(path) as store:
            StoredEncoder(ToyEncoder(), store).encode_documents(["a", "b"])
        with EmbeddingStore(path) as store:
            bare = ToyEncoder()
            StoredEncoder(bare, store).encode_documents(["b", "a"])
        assert bare.asked == []

    def test_queries_and_documents_are_kept_apart(self, store):
        encoder = StoredEncoder(ToyEncoder(), store)
        assert not np.allclose(encoder.encode_documents(["a"]), encoder.encode_queries(["a"]))

    def test_no_texts_give_no_rows(self, store):
        assert StoredEncoder(ToyEncoder(), store).encode_documents([]).shape == (0, 4)

    def test_an_interruption_keeps_the_batches_that_were_done(self, store):
        texts = [f"text {number}" for number in range(10)]
        with pytest.raises(KeyboardInterrupt):
            StoredEncoder(ToyEncoder(stop_at=3), store).encode_documents(texts)
        bare = ToyEncoder()
        StoredEncoder(bare, store).encode_documents(texts)
        assert bare.texts_asked == texts[6:]

    def test_a_failure_keeps_the_batches_before_and_names_the_callers_position(self, store):
        StoredEncoder(ToyEncoder(), store).encode_documents(["known"])
        with pytest.raises(EncoderError, match="text 4\\."):
            StoredEncoder(ToyEncoder(broken=["bad"]), store).encode_documents(
                ["known", "a", "a", "b", "bad", "c"]
            )
        assert store.get(ToyEncoder().fingerprint, "document", ["a", "b"], dimension=4)[1].all()

    def test_progress_is_about_the_texts_that_are_not_stored(self, store, capsys):
        encoder = StoredEncoder(ToyEncoder(), store)
        encoder.encode_documents(["a", "b"], progress=False)
        encoder.encode_documents(["a", "b", "c", "d", "d"], progress=True)
        assert " 0/2 [" in capsys.readouterr().err

    def test_a_required_store_that_fails_is_an_error(self, store):
        encoder = StoredEncoder(ToyEncoder(), store)
        store.close()
        with pytest.raises(StoreError, match="is closed"):
            encoder.encode_documents(["a"])

    def test_a_store_by_default_that_fails_is_a_warning_once(self, store):
        encoder = StoredEncoder(ToyEncoder(), store, required=False)
        store.close()
        with pytest.warns(UserWarning, match=r"without the embedding store\. .* is closed") as caught:
            vectors = encoder.encode_documents(["a", "b", "c"])
        assert len(caught) == 1
        assert caught[0].filename == __file__
        np.testing.assert_array_equal(vectors, ToyEncoder().encode_documents(["a", "b", "c"]))


def python(code, *arguments):
    """A Python process that runs dedented `code` and can import from the folder of the tests."""
    indent = re.match(r"\n*( *)", code)[1]
    return subprocess.Popen(
        [sys.executable, "-c", code.replace(f"\n{indent}", "\n"), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

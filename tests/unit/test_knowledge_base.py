"""Knowledge bases in memory and in folders: what is kept, what survives, what is refused."""

from __future__ import annotations

import errno
import json
import os
import resource
import sqlite3
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from character_encoder import CharacterEncoder
from interrupts import stop_at, without_privileges

import workbench as wb
from workbench.errors import (
    CleaningWarning,
    EncoderError,
    EncoderMismatchError,
    EncoderUnavailableError,
    InputError,
    StoreError,
)
from workbench.i18n import language
from workbench.retrieval import KnowledgeBase, folder_store
from workbench.retrieval.readers import read_files

TEXTS = ["python", "java", "typhoon", "nurse", "rust"]


@pytest.fixture
def encoder():
    return CharacterEncoder()


@pytest.fixture(params=["memory", "folder", pytest.param("milvus", marks=pytest.mark.slow)])
def base(request, encoder, tmp_path):
    """The same five texts, in memory, in a folder and in Milvus."""
    metadata = [{"level": n, "city": "上海" if n % 2 else "北京"} for n in range(len(TEXTS))]
    if request.param == "memory":
        return KnowledgeBase.from_texts(TEXTS, encoder, metadata)
    if request.param == "milvus" and not os.environ.get("CI"):
        pytest.importorskip("milvus_lite")
    place = tmp_path / "kb" if request.param == "folder" else f"milvus:{tmp_path / 'kb.db'}"
    base = KnowledgeBase.open(place, encoder)
    base.add(TEXTS, metadata)
    return base


@pytest.fixture
def stored(encoder, tmp_path):
    """Folder of a knowledge base with five texts."""
    KnowledgeBase.open(tmp_path / "kb", encoder).add(TEXTS)
    return tmp_path / "kb"


def sqlite_file(folder):
    return folder / "knowledge_base.sqlite"


def tamper(folder, statement, *values):
    """Change the SQLite file as another program could."""
    with closing(sqlite3.connect(sqlite_file(folder))) as connection, connection:
        connection.execute(statement, values)


class TestContents:
    def test_texts_vectors_and_metadata_are_aligned(self, base, encoder):
        assert base.texts == TEXTS
        np.testing.assert_allclose(base.vectors, encoder.encode_documents(TEXTS))
        assert base.metadata["level"].tolist() == [0, 1, 2, 3, 4]
        assert len(base) == 5

    def test_vectors_cannot_be_written_to(self, base):
        assert base.vectors.dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            base.vectors[0, 0] = 1

    def test_changing_what_is_returned_changes_nothing(self, base):
        base.texts.clear()
        metadata = base.metadata
        metadata["level"] = 9
        base.search("rust", k=1, cutoff=0.5)[0]["metadata"]["level"] = 9
        assert base.texts == TEXTS
        assert base.metadata["level"].tolist() == [0, 1, 2, 3, 4]

    def test_whole_numbers_stay_whole_where_some_are_missing(self, base):
        base.add(["go"], [{"city": "深圳"}])
        assert base.metadata["level"].tolist()[:5] == [0, 1, 2, 3, 4]
        assert base.metadata["level"].isna().tolist() == [False] * 5 + [True]

    def test_info_says_what_it_holds(self, base, encoder):
        info = base.info()
        assert (info.n, info.dimension) == (5, encoder.dimension)
        assert (info.encoder, info.fingerprint) == ("characters", encoder.fingerprint)
        assert info.bytes > 5 * encoder.dimension * 4
        finds_by_itself = (info.folder or "").startswith("milvus:")
        assert info.index.startswith(
            "graph of Milvus Lite" if finds_by_itself else "exact inner product (CPU)"
        )
        assert info.recall is None
        assert json.loads(json.dumps(base.info().to_dict())) == base.info().to_dict()

    def test_markup_in_texts_is_shown_as_text(self, base):
        base.remove(range(5))
        base.add(["<img src=x onerror=alert(1)>"])
        assert "<img" not in base._repr_html_()
        assert "&lt;img" in base._repr_html_()

    def test_several_queries_find_what_each_finds_alone(self, base):
        together = base.search_many(["rust", "java"], k=2, cutoff=0.5)
        assert together == [base.search(query, k=2, cutoff=0.5) for query in ["rust", "java"]]

    @pytest.mark.parametrize("shown", [True, False])
    def test_progress_is_what_the_caller_wants(self, base, capfd, shown):
        base.add([f"text {n}" for n in range(3)], progress=shown)
        base.search("rust", k=1, cutoff=0.5, progress=shown)
        assert ("characters" in capfd.readouterr().err) is shown

    def test_several_queries_are_a_list(self, base):
        with pytest.raises(InputError, match=r"pass \[query\]"):
            base.search_many("rust")


class TestAdding:
    def test_new_texts_come_at_the_end_and_are_found(self, base):
        report = base.add(["golang"], [{"level": 7}])
        assert report.added == 1
        assert base.texts == [*TEXTS, "golang"]
        hit = base.search("golang", k=1, cutoff=0.5)[0]
        assert (hit["index"], hit["metadata"]) == (5, {"level": 7})

    def test_every_text_given_is_accounted_for(self, base):
        report = base.add(["golang", "", "java", "golang", "x" * 600, " java "])
        assert (report.n_input, report.added, report.already_there) == (6, 2, 1)
        assert (report.duplicates, report.blank) == (2, 1)
        assert report.n_input == report.added + report.already_there + report.duplicates + report.blank

    def test_a_text_that_is_there_keeps_its_metadata(self, base):
        report = base.add(["java"], [{"level": 99}])
        assert (report.added, report.already_there) == (0, 1)
        assert base.metadata["level"].tolist() == [0, 1, 2, 3, 4]

    def test_metadata_stays_with_its_text_when_others_are_dropped(self, base):
        base.add(["", "java", "golang"], pd.DataFrame({"level": [10, 11, 12]}, index=["a", "b", "c"]))
        assert base.metadata["level"].tolist() == [0, 1, 2, 3, 4, 12]

    def test_a_pasted_block_is_one_text_a_line(self, base):
        assert base.add("golang\n\nsql").added == 2
        assert base.texts[5:] == ["golang", "sql"]

    def test_the_report_reads_as_a_sentence_in_both_languages(self, base):
        report = base.add(["golang", "", "java"])
        assert str(report) == "1 of 3 added, 1 already there, 1 blank"
        with language("zh"):
            assert str(report) == "新增 1 条（共 3 条）、1 条已在库中、1 条空白"

    def test_making_one_in_memory_warns_of_what_is_dropped(self, encoder):
        with pytest.warns(CleaningWarning, match="1 blank"):
            KnowledgeBase.from_texts(["java", ""], encoder)

    def test_files_that_were_read_before_are_taken_as_they_are(self, base, tmp_path):
        (tmp_path / "more.txt").write_text("golang\nsql\n")
        read = read_files(tmp_path / "more.txt")
        (tmp_path / "more.txt").unlink()
        assert base.add_files(read).files[0].added == 2
        assert base.texts[5:] == ["golang", "sql"]

    def test_a_text_that_is_no_string_adds_nothing(self, base):
        with pytest.raises(InputError, match="Text 1 is NoneType"):
            base.add(["golang", None])
        assert base.texts == TEXTS

    def test_vectors_that_are_not_finite_add_nothing(self, base, monkeypatch):
        monkeypatch.setattr(
            CharacterEncoder, "encode_documents", lambda self, texts: np.full((len(texts), 61), np.nan)
        )
        with pytest.raises(EncoderError, match="Vector 0 has values that are not finite"):
            base.add(["golang"])
        assert base.texts == TEXTS

    def test_an_interrupt_while_encoding_adds_nothing(self, base, monkeypatch):
        def interrupted(self, texts):
            raise KeyboardInterrupt

        monkeypatch.setattr(CharacterEncoder, "encode_documents", interrupted)
        with pytest.raises(KeyboardInterrupt):
            base.add(["golang"])
        assert base.texts == TEXTS


class TestMetadata:
    def test_values_become_what_json_can_hold(self, base):
        values = {
            "date": pd.Timestamp(2026, 3, 1),
            "time": datetime(2026, 3, 1, 12, 30),
            "count": np.int64(3),
            "share": np.float32(0.5),
            "yes": np.True_,
            "list": ("a", np.int8(1)),
            "path": Path("a/b"),
            "endless": float("inf"),
            "half": "\ud83d",
        }
        base.add(["golang"], [values])
        assert base.search("golang", k=1, cutoff=0.5)[0]["metadata"] == {
            "date": "2026-03-01T00:00:00",
            "time": "2026-03-01T12:30:00",
            "count": 3,
            "share": 0.5,
            "yes": True,
            "list": ["a", 1],
            "path": "a/b",
            "endless": "inf",
            "half": "\ufffd",
        }

    @pytest.mark.parametrize("missing", [None, float("nan"), np.nan, pd.NA, pd.NaT])
    def test_missing_values_are_left_out(self, base, missing):
        base.add(["golang"], [{"level": missing}])
        assert base.search("golang", k=1, cutoff=0.5)[0]["metadata"] == {}

    def test_a_value_that_cannot_be_kept_is_named(self, base):
        with pytest.raises(InputError, match="Metadata 'photo' of text 0 is bytes"):
            base.add(["golang"], [{"photo": b"\x89PNG"}])

    @pytest.mark.parametrize("metadata", [[{}], pd.DataFrame({"a": [1]})])
    def test_each_text_needs_a_row(self, base, metadata):
        with pytest.raises(InputError, match="metadata has 1 rows for 2 texts"):
            base.add(["golang", "sql"], metadata)

    @pytest.mark.parametrize("metadata", [{"a": [1]}, "a"])
    def test_one_mapping_for_all_is_refused(self, base, metadata):
        with pytest.raises(InputError, match="a list with one mapping for each text"):
            base.add(["golang"], metadata)


class TestConditions:
    """Searching among those texts only whose metadata has some values."""

    def test_only_they_are_found_with_their_own_numbers_best_first(self, base):
        hits = base.search("rust", k=5, cutoff=0.5, where={"city": "上海"})
        assert sorted(hit["index"] for hit in hits) == [1, 3]
        alone = {hit["index"]: hit["score"] for hit in base.search("rust", k=5, cutoff=0.5)}
        assert [(hit["rank"], hit["score"]) for hit in hits] == [
            (1, max(alone[1], alone[3])),
            (2, min(alone[1], alone[3])),
        ]

    def test_all_values_must_be_there(self, base):
        assert [
            hit["index"] for hit in base.search("rust", cutoff=0.5, where={"city": "上海", "level": 3})
        ] == [3]
        assert base.search("rust", cutoff=0.5, where={"city": "上海", "level": 4}) == []
        assert wb.search("rust", base, cutoff=0.5, where={"level": 3})[0]["text"] == "nurse"

    @pytest.mark.parametrize("where", [{}, {"town": "上海"}])
    def test_a_column_that_is_not_there_or_none_at_all_is_refused(self, base, where):
        with pytest.raises(InputError, match=r"where= is empty|the columns are: city(,| and) level"):
            base.search("rust", where=where, cutoff=0.5)

    @pytest.mark.parametrize("value", ['上海" or level >= 0 or city == "', "上海') || 1 == 1 --", "%", "_"])
    def test_a_value_is_never_an_expression(self, base, value):
        assert base.search("rust", cutoff=0.5, where={"city": value}) == []
        base.add(["sql"], [{"city": value}])
        assert [hit["text"] for hit in base.search("rust", cutoff=0.5, where={"city": value})] == ["sql"]


class TestRemoving:
    def test_rows_by_number(self, base):
        assert base.remove([0, 3]) == 2
        assert base.texts == ["java", "typhoon", "rust"]
        assert base.metadata["level"].tolist() == [1, 2, 4]
        assert base.search("rust", k=1, cutoff=0.5)[0]["index"] == 2

    def test_one_row(self, base):
        assert base.remove(4) == 1
        assert base.texts == TEXTS[:4]

    def test_rows_by_a_mask_of_pandas(self, base):
        base.add(["golang"])
        assert base.remove(base.metadata["level"] > 1) == 3
        assert base.texts == ["python", "java", "golang"]

    def test_rows_by_their_metadata(self, base):
        assert base.remove(where={"city": "北京", "level": 2}) == 1
        assert base.texts == ["python", "java", "nurse", "rust"]

    def test_metadata_that_no_text_has(self, base):
        assert base.remove(where={"city": "深圳"}) == 0
        with pytest.raises(InputError, match="No text has metadata 'town'; the columns are: city, level"):
            base.remove(where={"town": "深圳"})

    def test_all_rows_can_go_and_others_come(self, base):
        assert base.remove(range(5)) == 5
        with pytest.raises(InputError, match="knowledge base is empty"):
            base.search("rust", cutoff=0.5)
        base.add(["golang"])
        assert base.search("golang", cutoff=0.5)[0]["index"] == 0

    @pytest.mark.parametrize("row", [5, -1])
    def test_a_row_that_is_not_there_removes_nothing(self, base, row):
        with pytest.raises(InputError, match=f"There is no row {row}; rows go from 0 to 4"):
            base.remove([0, row])
        assert len(base) == 5

    def test_a_mask_of_another_length_removes_nothing(self, base):
        with pytest.raises(InputError, match="The mask has 2 values, but there are 5 rows"):
            base.remove([True, False])

    @pytest.mark.parametrize("arguments", [{}, {"indices": [0], "where": {"level": 0}}])
    def test_it_must_be_clear_what_to_remove(self, base, arguments):
        with pytest.raises(InputError, match="either by row numbers or by where="):
            base.remove(**arguments)

    def test_nothing_is_not_everything(self, base):
        assert base.remove([]) == 0
        with pytest.raises(InputError, match="where= is empty"):
            base.remove(where={})


class TestInAFolder:
    def test_what_was_added_is_there_when_opened_again(self, encoder, tmp_path):
        metadata = [{"level": 1, "tags": ["a", "b"]}, {}, {"text": "own"}, {"share": 0.1}, {"city": "上海"}]
        KnowledgeBase.open(tmp_path / "kb", encoder).add(TEXTS, metadata)
        again = KnowledgeBase.open(tmp_path / "kb", encoder)
        assert again.texts == TEXTS
        np.testing.assert_array_equal(again.vectors, encoder.encode_documents(TEXTS))
        hits = {hit["index"]: hit["metadata"] for hit in again.search("python", cutoff=0.5)}
        assert [hits[row] for row in range(5)] == metadata

    def test_vectors_are_memory_mapped(self, stored, encoder):
        assert isinstance(KnowledgeBase.open(stored, encoder).vectors, np.memmap)

    def test_the_files_can_be_read_without_the_workbench(self, stored, encoder):
        base = KnowledgeBase.open(stored, encoder)
        base.add(["golang"])
        [vectors] = stored.glob("vectors-*.npy")
        np.testing.assert_array_equal(np.load(vectors), base.vectors)
        with closing(sqlite3.connect(sqlite_file(stored))) as connection:
            frame = pd.read_sql("SELECT * FROM document ORDER BY row", connection)
        assert frame["text"].tolist() == [*TEXTS, "golang"]
        assert frame["metadata"].tolist() == ["{}"] * 6

    def test_the_encoder_it_was_built_with_is_loaded_when_needed(self, tmp_path):
        KnowledgeBase.open(tmp_path / "kb", "use").add(TEXTS)
        again = KnowledgeBase.open(tmp_path / "kb")
        assert again.info().encoder == "use"
        assert again.search("java", k=1, cutoff=0.5)[0]["text"] == "java"

    def test_one_whose_encoder_cannot_be_loaded_can_still_be_read(self, stored):
        base = KnowledgeBase.open(stored)
        assert base.texts == TEXTS
        with pytest.raises(EncoderUnavailableError, match=r"built with characters .*pass it"):
            base.search("java")

    def test_a_folder_without_one_is_only_filled_if_that_is_wanted(self, tmp_path, encoder):
        with pytest.raises(StoreError, match=r"There is no knowledge base in .*check the path"):
            KnowledgeBase.open(tmp_path / "typo", encoder, create=False)
        assert not (tmp_path / "typo").exists()

    def test_removing_leaves_no_files_behind(self, stored, encoder):
        KnowledgeBase.open(stored, encoder).remove([0])
        names = {path.name for path in stored.iterdir()}
        assert names == {"knowledge_base.sqlite", "vectors-000002.npy"}

    def test_a_removed_text_is_nowhere_in_the_folder(self, stored, encoder):
        KnowledgeBase.open(stored, encoder).remove([2])
        assert not any(b"typhoon" in path.read_bytes() for path in stored.iterdir())


class TestAnotherEncoder:
    def test_it_is_refused_with_what_the_vectors_are_of(self, stored, encoder):
        other = CharacterEncoder("others")
        with pytest.raises(EncoderMismatchError) as caught:
            KnowledgeBase.open(stored, other)
        message = str(caught.value)
        assert f"built with characters [{encoder.fingerprint}]" in message
        assert f"not with others [{other.fingerprint}]" in message
        assert "5 texts" in message
        assert "The option for it: reencode=True." in message

    def test_another_revision_of_the_same_name_is_another_encoder(self, stored, encoder):
        revised = CharacterEncoder(revision=2)
        with pytest.raises(EncoderMismatchError):
            KnowledgeBase.open(stored, revised)
        assert KnowledgeBase.open(stored, revised, reencode=True).search("rust", k=1, cutoff=0.5)
        with pytest.raises(EncoderMismatchError):
            KnowledgeBase.open(stored, encoder)

    def test_all_is_encoded_again_when_told_to(self, stored):
        base = KnowledgeBase.open(stored, "use", reencode=True)
        assert base.texts == TEXTS
        np.testing.assert_allclose(base.vectors, wb.load_encoder("use").encode_documents(TEXTS), atol=1e-6)
        assert KnowledgeBase.open(stored).info().encoder == "use"

    def test_the_same_encoder_encodes_nothing_again(self, stored, encoder, monkeypatch):
        monkeypatch.setattr(CharacterEncoder, "encode_documents", None)
        assert len(KnowledgeBase.open(stored, encoder, reencode=True)) == 5

    def test_if_that_fails_the_old_vectors_stay(self, stored, encoder):
        class Failing(CharacterEncoder):
            def encode_documents(self, texts, *, progress=None):
                raise EncoderError("out of memory")

        with pytest.raises(EncoderError, match="out of memory"):
            KnowledgeBase.open(stored, Failing("others"), reencode=True)
        assert KnowledgeBase.open(stored, encoder).search("rust", k=1, cutoff=0.5)[0]["text"] == "rust"

    def test_one_that_is_open_notices_that_another_process_re_encoded(self, stored, encoder):
        base = KnowledgeBase.open(stored, encoder)
        KnowledgeBase.open(stored, CharacterEncoder("others"), reencode=True)
        with pytest.raises(EncoderMismatchError, match="built with others"):
            base.add(["golang"])
        with pytest.raises(EncoderMismatchError, match="built with others"):
            base.search("rust")


class TestTwoAtOnce:
    def test_both_add_and_nothing_is_lost_or_doubled(self, stored, encoder):
        first, second = (KnowledgeBase.open(stored, encoder) for _ in range(2))
        assert first.add(["golang", "sql"]).added == 2
        assert second.add(["sql", "kotlin"]).added == 1
        assert second.texts == [*TEXTS, "golang", "sql", "kotlin"]
        assert KnowledgeBase.open(stored, encoder).texts == second.texts

    def test_one_that_is_open_reads_on_while_the_other_removes(self, stored, encoder):
        reader = KnowledgeBase.open(stored, encoder)
        KnowledgeBase.open(stored, encoder).remove([0, 1, 2])
        assert reader.texts == TEXTS
        assert reader.search("python", k=1, cutoff=0.5)[0]["text"] == "python"

    def test_row_numbers_that_have_moved_remove_nothing(self, stored, encoder):
        first, second = (KnowledgeBase.open(stored, encoder) for _ in range(2))
        first.remove([0])
        with pytest.raises(StoreError, match=r"row numbers have moved; nothing was removed"):
            second.remove([0])
        assert second.texts == TEXTS[1:]

    def test_a_writer_that_stays_is_named_after_a_while(self, stored, encoder, monkeypatch):
        monkeypatch.setattr(folder_store, "LOCK_SECONDS", 0.1)
        base = KnowledgeBase.open(stored, encoder)
        with closing(sqlite3.connect(sqlite_file(stored), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match=r"Another process is writing .*nothing was changed.*Try ag"):
                base.add(["golang"])
            # Reading goes on meanwhile.
            assert KnowledgeBase.open(stored, encoder).texts == base.texts == TEXTS
        assert base.add(["golang"]).added == 1

    def test_threads_add_to_one_folder(self, stored, encoder):
        def add(thread):
            base = KnowledgeBase.open(stored, encoder)
            for number in range(10):
                base.add([f"{thread} {number}", f"all {number}"])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(add, range(4)))
        base = KnowledgeBase.open(stored, encoder)
        assert len(base) == len(set(base.texts)) == 5 + 4 * 10 + 10
        np.testing.assert_array_equal(base.vectors, encoder.encode_documents(base.texts))
        base.search("rust", cutoff=0.5)


class TestDamage:
    def damaged(self, path, change):
        content = path.read_bytes()
        path.write_bytes(change(content))

    @pytest.mark.parametrize("change", [lambda content: content[:5000], lambda content: b"no" + content[2:]])
    def test_a_damaged_file_is_named(self, stored, encoder, change):
        self.damaged(sqlite_file(stored), change)
        with pytest.raises(StoreError, match=r"knowledge_base\.sqlite is damaged.*from a copy"):
            KnowledgeBase.open(stored, encoder)

    @pytest.mark.parametrize(
        ("column", "value", "said"),
        [
            ("encoder", "{}", "its state cannot be read: 'name'"),
            ("encoder", "not JSON", "its state cannot be read"),
            ("encoder", '{"name": "", "fingerprint": "", "dimension": Infinity}', "its state cannot be read"),
            ("revision", -1, "a count is negative"),
            ("generation", "many", "its state cannot be read"),
            ("texts_crc32", 1, "its checksum does not fit"),
        ],
    )
    def test_a_state_that_makes_no_sense_is_named(self, stored, encoder, column, value, said):
        tamper(stored, f"UPDATE state SET {column} = ?", value)
        with pytest.raises(StoreError, match=rf"knowledge_base\.sqlite is damaged: .*{said}"):
            KnowledgeBase.open(stored, encoder)

    def test_another_programs_file_is_named_and_left_alone(self, tmp_path, encoder):
        (tmp_path / "kb").mkdir()
        tamper(tmp_path / "kb", "CREATE TABLE mine (x)")
        before = sqlite_file(tmp_path / "kb").read_bytes()
        with pytest.raises(StoreError, match="another program's database"):
            KnowledgeBase.open(tmp_path / "kb", encoder)
        assert sqlite_file(tmp_path / "kb").read_bytes() == before

    def test_the_file_of_texts_says_what_it_is(self, stored):
        with closing(sqlite3.connect(sqlite_file(stored))) as connection:
            assert connection.execute("PRAGMA application_id").fetchone() == (int.from_bytes(b"wbKB", "big"),)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)

    def test_a_newer_version_is_named(self, stored, encoder):
        tamper(stored, "PRAGMA user_version = 2")
        with pytest.raises(StoreError, match=r"version 2, this workbench reads version 1: export"):
            KnowledgeBase.open(stored, encoder)

    def test_a_missing_file_of_texts_is_not_taken_for_an_empty_folder(self, stored, encoder):
        sqlite_file(stored).unlink()
        with pytest.raises(StoreError, match=r"vectors-000001\.npy.*knowledge_base\.sqlite is missing"):
            KnowledgeBase.open(stored, encoder)
        assert [path.name for path in stored.iterdir()] == ["vectors-000001.npy"]

    @pytest.mark.parametrize("what", [b"java", b"Munich"])
    def test_texts_and_metadata_that_have_changed_are_named(self, stored, encoder, what):
        KnowledgeBase.open(stored, encoder).add(["golang"], [{"city": "Munich"}])
        self.damaged(sqlite_file(stored), lambda content: content.replace(what, what[::-1]))
        with pytest.raises(StoreError, match=r"sqlite is damaged: its checksum.*add the texts again"):
            KnowledgeBase.open(stored, encoder)

    def test_a_row_that_is_gone_is_named(self, stored, encoder):
        tamper(stored, "DELETE FROM document WHERE row = 4")
        with pytest.raises(StoreError, match=r"knowledge_base\.sqlite is damaged: its checksum"):
            KnowledgeBase.open(stored, encoder)

    def test_damaged_vectors_are_named_before_they_are_searched(self, stored, encoder):
        vectors = stored / "vectors-000001.npy"
        self.damaged(vectors, lambda content: content[:-1] + bytes([content[-1] ^ 1]))
        base = KnowledgeBase.open(stored, encoder)
        with pytest.raises(StoreError, match=r"vectors-000001\.npy is damaged: its checksum"):
            base.search("rust", cutoff=0.5)

    def test_damage_is_not_made_valid_by_removing_a_row(self, stored, encoder):
        vectors = stored / "vectors-000001.npy"
        self.damaged(vectors, lambda content: content[:-1] + bytes([content[-1] ^ 1]))
        before = vectors.read_bytes()
        base = KnowledgeBase.open(stored, encoder)
        with pytest.raises(StoreError, match=r"vectors-000001\.npy is damaged: its checksum"):
            base.remove([0])
        assert vectors.read_bytes() == before

    def test_vectors_that_are_too_few_are_named(self, stored, encoder):
        self.damaged(stored / "vectors-000001.npy", lambda content: content[:-10])
        with pytest.raises(StoreError, match=r"vectors-000001\.npy is damaged: it has fewer"):
            KnowledgeBase.open(stored, encoder)

    def test_missing_vectors_are_named(self, stored, encoder):
        (stored / "vectors-000001.npy").unlink()
        with pytest.raises(StoreError, match=r"vectors-000001\.npy is missing"):
            KnowledgeBase.open(stored, encoder)


class TestFoldersThatCannotBeWritten:
    def test_a_path_below_a_file(self, tmp_path, encoder):
        (tmp_path / "file").touch()
        with pytest.raises(StoreError, match=r"cannot be created \(Not a directory\)\. Choose a folder"):
            KnowledgeBase.open(tmp_path / "file" / "kb", encoder)

    def test_a_path_of_a_file(self, tmp_path, encoder):
        (tmp_path / "file").touch()
        with pytest.raises(StoreError, match="is a file; a knowledge base is a folder"):
            KnowledgeBase.open(tmp_path / "file", encoder)

    @pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
    def test_a_folder_without_permission_to_write_can_be_read(self, encoder):
        # A folder of tmp_path lies in one that nobody else may enter.
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o777)
            with without_privileges():
                KnowledgeBase.open(Path(folder) / "kb", encoder).add(TEXTS)
                (Path(folder) / "kb").chmod(0o555)
                base = KnowledgeBase.open(Path(folder) / "kb", encoder)
                assert base.search("rust", k=1, cutoff=0.5)[0]["text"] == "rust"
                with pytest.raises(
                    StoreError, match=r"knowledge_base.sqlite cannot be .*written.*get permission"
                ):
                    base.add(["golang"])
                sqlite_file(Path(folder) / "kb").chmod(0o444)
                assert KnowledgeBase.open(Path(folder) / "kb", encoder).texts == base.texts == TEXTS
                (Path(folder) / "kb").chmod(0o755)

    def test_a_folder_that_the_system_does_not_let_us_make(self, tmp_path, encoder, monkeypatch):
        def refuse(self, *args, **kwargs):
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(Path, "mkdir", refuse)
        with pytest.raises(StoreError, match=r"cannot be created \(Permission denied\)\. Choose a folder"):
            KnowledgeBase.open(tmp_path / "kb", encoder)

    def error_of(self, act, *arguments):
        try:
            act(*arguments)
        except StoreError as error:
            return str(error)

    @pytest.mark.parametrize(
        ("kind", "error", "said"),
        [
            ("fsync", lambda: OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
            ("sqlite", lambda: sqlite3.OperationalError("disk is full"), "no room left on the disk"),
        ],
    )
    def test_a_disk_that_is_full_at_any_step_changes_nothing(
        self, encoder, tmp_path, monkeypatch, kind, error, said
    ):
        for step in count(0, 2):
            folder = tmp_path / str(step)
            KnowledgeBase.open(folder, encoder).add(TEXTS)
            base = KnowledgeBase.open(folder, encoder)
            with monkeypatch.context() as patch:
                stopped = stop_at(step, error, patch, kind)
                message = self.error_of(base.add, ["golang"])
            if not stopped:
                break
            assert said in message
            for survivor in (base, KnowledgeBase.open(folder, encoder)):
                assert survivor.texts == TEXTS
                assert survivor.search("rust", k=1, cutoff=0.5)[0]["text"] == "rust"
            assert base.add(["golang"]).added == 1
            assert KnowledgeBase.open(folder, encoder).search("golang", k=1, cutoff=0.5)[0]["index"] == 5

    @pytest.mark.skipif(sys.platform != "linux", reason="needs a limit that the system keeps to")
    @pytest.mark.parametrize("limit", range(0, 220_000, 10_000))
    def test_a_system_that_takes_no_more_bytes_loses_nothing(self, stored, encoder, limit):
        base, texts = KnowledgeBase.open(stored, encoder), [f"text {n}" for n in range(600)]
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            base.add(texts)
        except StoreError:
            expected = TEXTS
        else:
            expected = TEXTS + texts
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        for survivor in (base, KnowledgeBase.open(stored, encoder)):
            assert survivor.texts == expected
            assert survivor.search("rust", k=1, cutoff=0.5)[0]["text"] == "rust"
        assert base.add(["golang"]).added == 1


class TestKilled:
    def test_what_a_killed_process_left_half_written_is_not_seen(self, stored, encoder):
        with (stored / "vectors-000001.npy").open("ab") as file:
            file.write(b"half a vector")
        (stored / "vectors-000002.npy").write_bytes(b"of a removal")
        base = KnowledgeBase.open(stored, encoder)
        assert base.texts == TEXTS
        base.add(["golang"])
        again = KnowledgeBase.open(stored, encoder)
        assert again.texts == [*TEXTS, "golang"]
        assert again.search("golang", k=1, cutoff=0.5)[0]["index"] == 5
        assert not (stored / "vectors-000002.npy").exists()

    def test_vectors_that_a_kill_left_are_gone_once_it_is_opened_unless_somebody_writes(self, stored):
        left = stored / "vectors-000007.npy"
        left.write_bytes(b"of a removal")
        with sqlite3.connect(stored / "knowledge_base.sqlite", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            assert len(KnowledgeBase.open(stored))
            assert left.exists()
            other.execute("ROLLBACK")
        other.close()
        assert len(KnowledgeBase.open(stored))
        assert not left.exists()

    def test_what_was_left_while_one_was_made_is_no_knowledge_base(self, tmp_path, encoder):
        (tmp_path / "kb").mkdir()
        sqlite_file(tmp_path / "kb").touch()
        with pytest.raises(StoreError, match="is damaged: it is empty"):
            KnowledgeBase.open(tmp_path / "kb", encoder, create=False)
        assert KnowledgeBase.open(tmp_path / "kb", encoder).add(["golang"]).added == 1

    @pytest.mark.parametrize("change", ["create", "add", "remove", "reencode"])
    def test_a_change_that_stops_at_any_step_is_whole_or_not_there(
        self, encoder, tmp_path, monkeypatch, change
    ):
        other = CharacterEncoder("others")
        changed = {
            "create": (encoder, []),
            "add": (encoder, [*TEXTS, "golang"]),
            "remove": (encoder, TEXTS[1:]),
            "reencode": (other, TEXTS),
        }[change]
        seen = set()
        for step in count():
            folder = tmp_path / str(step)
            if change != "create":
                KnowledgeBase.open(folder, encoder).add(TEXTS)
                base = KnowledgeBase.open(folder, encoder)
            with monkeypatch.context() as patch:
                stopped = stop_at(step, KeyboardInterrupt, patch)
                try:
                    if change == "add":
                        base.add(["golang"])
                    elif change == "remove":
                        base.remove([0])
                    else:
                        KnowledgeBase.open(folder, changed[0], reencode=True)
                except KeyboardInterrupt:
                    pass
            seen.add(whole := self.is_changed(folder, (encoder, TEXTS), changed))
            if change in ("add", "remove"):
                assert base.search("rust", k=1, cutoff=0.5)[0]["text"] == "rust"
            if not stopped:
                break
        assert seen == {False, True}
        assert whole
        assert step >= 10

    def is_changed(self, folder, before, after):
        """Whether a folder is in the second state; it must be in one of the two entirely, or not be there."""
        try:
            base = KnowledgeBase.open(folder, create=False)
        except StoreError:
            assert KnowledgeBase.open(folder, before[0]).texts == after[1] == []
            return False
        [(encoder, texts)] = [
            (encoder, texts)
            for encoder, texts in (before, after)
            if (base.info().fingerprint, base.texts) == (encoder.fingerprint, texts)
        ]
        np.testing.assert_array_equal(base.vectors, encoder.encode_documents(texts))
        again = KnowledgeBase.open(folder, encoder)
        assert again.add(["one more"]).added == 1
        assert again.search("one more", k=1, cutoff=0.5)[0]["index"] == len(texts)
        return (encoder, texts) == after

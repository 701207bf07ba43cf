"""Which index a knowledge base uses, what it says of it, and what becomes of it when rows change."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing

import numpy as np
import pytest
from character_encoder import CharacterEncoder
from typer.testing import CliRunner

from workbench.cli import app
from workbench.errors import StoreError
from workbench.retrieval import KnowledgeBase, approximate, choosing, exact, search
from workbench.retrieval.approximate import IndexRecord

N = 2000
QUERY = "kotlin and typescript"
EXACT = "exact inner product (CPU)"


def words(n, seed=0):
    """Distinct texts of random letters."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    return [f"{''.join(rng.choice(letters, 18))} {number}" for number in range(n)]


TEXTS = words(N)


@pytest.fixture(autouse=True)
def two_thousand_are_many(monkeypatch):
    monkeypatch.setattr(choosing, "QUICK", 1000 * 61)
    monkeypatch.setattr(choosing, "FEWEST_ROWS", 1000)
    monkeypatch.setattr(approximate, "TRAINING_ROWS", 640)
    monkeypatch.setattr(approximate, "MEASURED_QUERIES", 100)


@pytest.fixture
def encoder():
    return CharacterEncoder()


@pytest.fixture(params=["memory", "folder"])
def base(request, encoder, tmp_path):
    if request.param == "memory":
        return KnowledgeBase.from_texts(TEXTS, encoder)
    base = KnowledgeBase.open(tmp_path / "kb", encoder)
    base.add(TEXTS)
    return base


@pytest.fixture
def stored(encoder, tmp_path):
    """Folder of a knowledge base whose index is built."""
    base = KnowledgeBase.open(tmp_path / "kb", encoder)
    base.add(TEXTS)
    base.build_index()
    return tmp_path / "kb"


@pytest.fixture
def no_building(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("an index was built")

    monkeypatch.setattr(choosing, "build_quantised", refuse)


def found(base, query=QUERY, **options):
    return [(hit["index"], hit["score"]) for hit in base.search(query, cutoff=0.5, **options)]


def sorted_by_definition(base):
    scores = base.vectors.astype(np.float64) @ base.encoder.encode_queries([QUERY])[0]
    scores = np.round(scores * 2**24) / 2**24
    return [(row, scores[row]) for row in np.argsort(-scores, kind="stable")[:5].tolist()]


def record_of(folder):
    """What is kept of the index; None where there is none."""
    with closing(sqlite3.connect(folder / "knowledge_base.sqlite")) as connection:
        return json.loads(connection.execute('SELECT "index" FROM state').fetchone()[0])


def codes_of(folder):
    """The codes that are kept: one of them, or none."""
    with closing(sqlite3.connect(folder / "knowledge_base.sqlite")) as connection:
        return [codes for (codes,) in connection.execute("SELECT content FROM codes")]


def tamper(folder, statement, *values):
    with closing(sqlite3.connect(folder / "knowledge_base.sqlite")) as connection, connection:
        connection.execute(statement, values)


class TestWhatIsChosen:
    def test_small_ones_are_searched_exactly(self, encoder, no_building):
        base = KnowledgeBase.from_texts(TEXTS[:900], encoder)
        assert base.build_index() == EXACT
        assert len(base.search(QUERY, cutoff=0.5)) == 5
        assert (base.info().index, base.info().recall) == (EXACT, None)
        assert EXACT in repr(base)

    def test_large_ones_get_an_index_at_the_first_search(self, base):
        assert base.info().index == "approximate, to be built at the first search"
        base.search(QUERY, cutoff=0.5)
        assert base.info().index.startswith("approximate, at most ")
        assert base.info().recall >= 0.998
        assert f"recall@10 {base.info().recall:.4f}, measured on 100 of its own vectors" in repr(base)
        assert base.info().index in base._repr_html_()

    def test_it_can_be_built_beforehand(self, base, monkeypatch):
        said = base.build_index()
        monkeypatch.setattr(choosing, "build_quantised", None)
        base.search(QUERY, cutoff=0.5)
        assert said == base.info().index

    def test_an_empty_one_has_nothing_to_build(self, encoder):
        assert KnowledgeBase.from_texts([], encoder).build_index() == EXACT

    def test_it_finds_what_the_exact_search_finds(self, base):
        queries = words(40, seed=1)
        quick = base.search_many(queries, cutoff=0.5)
        slow = base.search_many(queries, cutoff=0.5, exact=True)
        same = [
            a == b
            for ours, theirs in zip(quick, slow, strict=True)
            for a, b in zip(ours, theirs, strict=True)
        ]
        assert np.mean(same) > 0.98

    def test_the_exact_search_is_there_for_the_asking(self, base, no_building):
        assert found(base, exact=True) == sorted_by_definition(base)

    def test_no_index_is_built_for_the_one_query_of_a_list(self, encoder, no_building):
        hits = search(QUERY, TEXTS, encoder=encoder, cutoff=0.5)
        assert [hit["index"] for hit in hits] == [
            row for row, _ in sorted_by_definition(KnowledgeBase.from_texts(TEXTS, encoder))
        ]

    def test_it_can_be_asked_for_once_and_for_all(self, stored, encoder, no_building):
        base = KnowledgeBase.open(stored, encoder, exact=True)
        assert (base.info().index, base.info().recall) == (EXACT, None)
        assert found(base) == found(KnowledgeBase.open(stored, encoder), exact=True)
        in_memory = KnowledgeBase.from_texts(TEXTS, encoder, exact=True)
        assert found(in_memory) == found(base)

    def test_where_no_approximation_is_good_enough_search_is_exact_and_says_so(
        self, base, encoder, monkeypatch
    ):
        monkeypatch.setattr(approximate, "FEWEST_PER_HIT", 1)
        monkeypatch.setattr(approximate, "MOST_PER_HIT", 1)
        assert found(base) == found(base, exact=True)
        info = base.info()
        assert info.index.startswith(f"{EXACT}: no approximation was good enough, the best had recall@10 0.")
        assert info.recall is None

    def test_what_was_not_good_enough_is_not_tried_again(self, tmp_path, encoder, monkeypatch):
        monkeypatch.setattr(approximate, "FEWEST_PER_HIT", 1)
        monkeypatch.setattr(approximate, "MOST_PER_HIT", 1)
        base = KnowledgeBase.open(tmp_path / "kb", encoder)
        base.add(TEXTS)
        said = base.build_index()
        monkeypatch.setattr(choosing, "build_quantised", None)
        again = KnowledgeBase.open(tmp_path / "kb", encoder)
        assert again.build_index() == said
        assert codes_of(tmp_path / "kb") == []

    def test_without_faiss_search_is_exact(self, encoder, monkeypatch, no_building):
        monkeypatch.setitem(sys.modules, "faiss", None)
        base = KnowledgeBase.from_texts(TEXTS, encoder)
        assert base.build_index() == EXACT
        assert found(base) == found(base, exact=True)

    def test_many_hits_are_found_without_gaps(self, base):
        assert found(base, k=N) == found(base, k=N, exact=True)


class TestOnAGraphicsCard:
    @pytest.mark.models
    def test_search_is_exact_there_if_it_has_room(self, encoder, monkeypatch, no_building):
        free = []

        def gpu(n_values):
            free.append(n_values)
            return "cpu"

        monkeypatch.setattr(choosing, "free_gpu", gpu)
        base = KnowledgeBase.from_texts(TEXTS, encoder)
        assert base.info().index == "exact inner product (GPU, float16)"
        assert found(base) == sorted_by_definition(base)
        assert base.info().index == "exact inner product (CPU, float16)"
        assert set(free) == {N * 61}

    @pytest.mark.models
    def test_vectors_that_are_there_already_stay_although_they_have_filled_it(
        self, encoder, monkeypatch, no_building
    ):
        rooms = iter(["cpu", "cpu"])
        monkeypatch.setattr(choosing, "free_gpu", lambda n_values: next(rooms, None))
        base = KnowledgeBase.from_texts(TEXTS, encoder)
        assert found(base) == found(base) == found(base)
        assert base.info().index == "exact inner product (CPU, float16)"

    def test_torch_is_not_loaded_to_look_for_one(self, monkeypatch):
        monkeypatch.delitem(sys.modules, "torch", raising=False)
        assert exact.free_gpu(1000) is None
        assert "torch" not in sys.modules


class TestKept:
    def test_it_is_kept_beside_the_vectors_and_not_built_again(self, stored, encoder, no_building):
        assert len(codes_of(stored)) == 1
        record = record_of(stored)
        assert (record["kind"], record["n"], record["k"], record["n_queries"]) == ("approximate", N, 10, 100)
        base = KnowledgeBase.open(stored, encoder)
        assert base.info().recall == record["recall"]
        assert len(found(base)) == 5
        assert found(base) == found(base)

    def test_nothing_is_kept_for_a_small_one(self, tmp_path, encoder):
        base = KnowledgeBase.open(tmp_path / "kb", encoder)
        base.add(TEXTS[:50])
        base.search(QUERY, cutoff=0.5)
        assert record_of(tmp_path / "kb") is None
        assert codes_of(tmp_path / "kb") == []

    @pytest.mark.parametrize(
        "change", [lambda content: content[:-9], lambda content: b"", lambda content: content[::-1]]
    )
    def test_damaged_codes_are_not_read_but_made_again(self, stored, encoder, monkeypatch, change):
        [whole] = codes_of(stored)
        tamper(stored, "UPDATE codes SET content = ?", change(whole))
        monkeypatch.setattr("faiss.deserialize_index", None)
        assert len(found(KnowledgeBase.open(stored, encoder))) == 5
        assert codes_of(stored) == [whole]

    def test_missing_codes_are_made_again(self, stored, encoder):
        [whole] = codes_of(stored)
        tamper(stored, "DELETE FROM codes")
        assert len(found(KnowledgeBase.open(stored, encoder))) == 5
        assert codes_of(stored) == [whole]

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("kind", "magic"),
            ("recall", 2),
            ("candidates_per_hit", 0),
            ("margin", -1),
            ("n", "many"),
            ("extra", 1),
        ],
    )
    def test_a_record_that_was_tampered_with_is_named(self, stored, encoder, key, value):
        tamper(stored, 'UPDATE state SET "index" = ?', json.dumps({**record_of(stored), key: value}))
        with pytest.raises(StoreError, match=r"knowledge_base\.sqlite is damaged: its state cannot be read"):
            KnowledgeBase.open(stored, encoder)

    def test_a_folder_that_cannot_be_written_is_searched_all_the_same(self, tmp_path, encoder, monkeypatch):
        base = KnowledgeBase.open(tmp_path / "kb", encoder)
        base.add(TEXTS)

        def refuse(*args):
            raise StoreError("read-only")

        monkeypatch.setattr(base._store, "keep_index", refuse)
        assert len(found(base)) == 5
        assert codes_of(tmp_path / "kb") == []
        monkeypatch.setattr(choosing, "build_quantised", None)
        assert len(found(base)) == 5

    def test_an_interrupted_build_leaves_the_knowledge_base_as_it_was(self, tmp_path, encoder, monkeypatch):
        base = KnowledgeBase.open(tmp_path / "kb", encoder)
        base.add(TEXTS)
        before = {path.name: path.read_bytes() for path in (tmp_path / "kb").iterdir()}

        def interrupted(*args):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(approximate, "found_by_codes", interrupted)
            with pytest.raises(KeyboardInterrupt):
                base.search(QUERY, cutoff=0.5)
        assert {path.name: path.read_bytes() for path in (tmp_path / "kb").iterdir()} == before
        assert len(found(base)) == 5


class TestRowsThatChange:
    def test_a_few_new_rows_are_found_without_building_again(self, stored, encoder, no_building):
        base = KnowledgeBase.open(stored, encoder)
        base.search(QUERY, cutoff=0.5)
        base.add([QUERY])
        assert found(base)[0][0] == N
        assert found(KnowledgeBase.open(stored, encoder))[0][0] == N

    def test_many_new_rows_are_put_into_a_new_index(self, stored, encoder):
        base = KnowledgeBase.open(stored, encoder)
        base.search(QUERY, cutoff=0.5)
        base.add([*words(300, seed=2), QUERY])
        assert base.info().index == "approximate, to be built at the first search"
        assert found(base)[0][0] == N + 300
        assert record_of(stored)["n"] == N + 301
        assert len(codes_of(stored)) == 1

    def test_after_a_removal_rows_are_those_of_the_texts_that_are_left(self, base):
        base.search(QUERY, cutoff=0.5)
        base.remove(range(100))
        hits = base.search(TEXTS[150], k=1, cutoff=0.5)
        assert (hits[0]["index"], hits[0]["text"]) == (50, TEXTS[150])
        assert found(base) == found(base, exact=True)

    def test_the_index_goes_with_the_rows_that_it_was_of(self, stored, encoder):
        KnowledgeBase.open(stored, encoder).remove(range(1500))
        assert codes_of(stored) == []
        assert record_of(stored) is None
        assert KnowledgeBase.open(stored, encoder).info().index == EXACT

    def test_rows_that_another_process_removes_meanwhile_are_not_returned(
        self, tmp_path, encoder, monkeypatch
    ):
        base = KnowledgeBase.open(tmp_path / "kb", encoder)
        base.add(TEXTS)
        build = choosing.build_quantised

        def slow_build(*args, **kwargs):
            built = build(*args, **kwargs)
            if len(base) == N:
                KnowledgeBase.open(tmp_path / "kb", encoder).remove(range(100))
            return built

        monkeypatch.setattr(choosing, "build_quantised", slow_build)
        hit = base.search(TEXTS[150], k=1, cutoff=0.5)[0]
        assert (hit["index"], hit["text"]) == (50, TEXTS[150])

    def test_another_encoder_gets_another_index(self, stored, encoder):
        base = KnowledgeBase.open(stored, CharacterEncoder("others"), reencode=True)
        assert base.info().index == "approximate, to be built at the first search"
        assert len(found(base)) == 5
        assert len(codes_of(stored)) == 1


def test_a_record_is_read_as_it_was_written():
    record = IndexRecord("exact", 10, 0.5, 5, 256, 8, 32, 1.5)
    assert IndexRecord(**json.loads(json.dumps(record.to_dict()))) == record


class TestOnTheCommandLine:
    @pytest.fixture(autouse=True)
    def here(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "texts.txt").write_text("\n".join(TEXTS), encoding="utf-8")

    def workbench(self, *arguments):
        done = CliRunner().invoke(app, list(arguments))
        assert done.exit_code in (0, 1), done.stderr
        return done.stdout

    def test_adding_builds_the_index_and_info_tells_of_it(self, tmp_path):
        said = self.workbench("kb", "add", "kb", "texts.txt", "-e", "keyword")
        assert "They are searched by an index: approximate, at most " in said
        facts = json.loads(self.workbench("kb", "info", "kb", "--json"))
        assert facts["index"].startswith("approximate, at most ")
        assert facts["recall"] == record_of(tmp_path / "kb")["recall"]
        assert "measured on 100 of its own vectors" in " ".join(self.workbench("kb", "info", "kb").split())

    @pytest.mark.parametrize(
        "command", [("search", TEXTS[7], "--kb", "kb"), ("kb", "search", "kb", TEXTS[7])]
    )
    def test_searching_exactly_is_an_option(self, command):
        self.workbench("kb", "add", "kb", "texts.txt", "-e", "keyword")
        exact = json.loads(self.workbench(*command, "--exact", "--json"))
        quick = json.loads(self.workbench(*command, "--json"))
        assert exact["index"] == "exact, as asked for"
        assert quick["index"].startswith("approximate")
        assert exact["hits"][0] == quick["hits"][0]
        assert exact["hits"][0]["index"] == 7
        assert "--exact compares with every text" in self.workbench(*command)
        assert "approximate" not in self.workbench(*command, "--exact")

    def test_no_index_is_built_for_the_one_query_of_a_file(self, no_building):
        found = json.loads(self.workbench("search", TEXTS[7], "--kb", "texts.txt", "-e", "keyword", "--json"))
        assert (found["index"], found["hits"][0]["index"]) == (EXACT, 7)

    def test_no_knowledge_base_is_made_for_a_file_that_cannot_be_read(self, tmp_path):
        (tmp_path / "broken.xlsx").write_bytes(b"not a workbook")
        done = CliRunner().invoke(app, ["kb", "add", "kb", "broken.xlsx", "-e", "keyword"])
        assert done.exit_code == 2
        assert not (tmp_path / "kb").exists()

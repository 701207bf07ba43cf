"""Knowledge bases in Milvus: what is found is what an exact search finds, and what goes leaves no trace.

That the rest is as elsewhere is held by test_knowledge_base.py, whose base lies in Milvus too.
"""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from character_encoder import CharacterEncoder
from typer.testing import CliRunner

import workbench as wb
from workbench.cli import app
from workbench.encoders import BaseEncoder
from workbench.encoders.lookup import text_key
from workbench.errors import EncoderMismatchError, InputError, StoreError
from workbench.forgetting.act import forget
from workbench.retrieval import KnowledgeBase
from workbench.retrieval.storage import Contents

pytestmark = pytest.mark.slow
if not os.environ.get("CI"):
    pytest.importorskip("milvus_lite")

DOCUMENTS = [
    "Night nurse\nRequirements\n- RN licence\n- ventilation of patients",
    "持护士执业证",
    "Welder\nRequirements\n- TIG welding of pipes\n- works at heights",
    "ventilation systems in office buildings",
]


class VectorEncoder(BaseEncoder):
    """Texts are numbers of rows of a matrix."""

    name, dimension, recipe = "rows", 64, {"rows": 64}

    def __init__(self, vectors):
        self.vectors = vectors

    def encode_batches(self, texts, role):
        yield np.arange(len(texts)), self.vectors[[int(text) for text in texts]]


@pytest.fixture
def encoder():
    return CharacterEncoder()


@pytest.fixture
def place(tmp_path):
    return f"milvus:{tmp_path / 'jobs.db'}"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Address of a server: the one that is named, else Milvus Lite's own, another process behind a port."""
    if named := os.environ.get("WORKBENCH_TEST_MILVUS"):
        yield named
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("served")
    arguments = ["server", "--data-dir", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen([sys.executable, "-m", "milvus_lite", *arguments], stdout=subprocess.DEVNULL)
    for _ in range(300):
        time.sleep(0.1)
        with socket.socket() as tried:
            if not tried.connect_ex(("127.0.0.1", port)):
                break
    yield f"milvus:http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=20)


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def found(base, query, k=None, **options):
    hits = base.search(query, k=k, cutoff=0.4, **options)
    return [(hit["index"], hit["text"], hit["score"], hit["phrase"], hit["metadata"]) for hit in hits]


def drawn(n, queries, seed=0):
    """Vectors in clusters, as texts of a trade are, and queries near some of them."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(40, 64))
    vectors = centres[rng.integers(40, size=n)] + 0.7 * rng.normal(size=(n, 64))
    asked = vectors[rng.integers(n, size=queries)] + 0.3 * rng.normal(size=(queries, 64))
    both = np.concatenate([vectors, asked])
    return (both / np.linalg.norm(both, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("where", ["folder", "server"])
def test_of_two_thousand_vectors_the_graph_finds_the_best_five_with_their_exact_cosines(
    where, place, server, request
):
    vectors = drawn(2000, 100)
    base = KnowledgeBase.open(place if where == "folder" else f"{server}#drawn", VectorEncoder(vectors))
    base.add([str(row) for row in range(2000)])
    # What is flushed and loaded is searched by its graph, the rest by comparing with each.
    for act in ("flush", "release_collection", "load_collection"):
        base._store._milvus(act, "drawn__1" if where == "server" else "workbench__1")
    hits = base.search_many([str(2000 + row) for row in range(100)], k=5, cutoff=0.4)
    cosines = vectors[2000:].astype(np.float64) @ vectors[:2000].T
    best = np.argsort(-cosines, axis=1)[:, :5]
    recall = np.mean(
        [len({hit["index"] for hit in some} & {*row}) / 5 for some, row in zip(hits, best, strict=True)]
    )
    assert recall >= 0.99
    for row, some in enumerate(hits):
        np.testing.assert_allclose(
            [hit["score"] for hit in some], [cosines[row, hit["index"]] for hit in some], atol=2e-7
        )


@pytest.mark.parametrize("query", ["ventilation of patients", DOCUMENTS[0] + "\n- night shifts", "护士"])
def test_documents_and_lines_are_found_as_in_memory_with_their_phrases(query, place, encoder):
    metadata = [{"n": n} for n in range(4)]
    base = KnowledgeBase.open(place, encoder)
    base.add(DOCUMENTS, metadata)
    memory = KnowledgeBase.from_texts(DOCUMENTS, encoder, metadata)
    assert found(base, query, k=4) == found(memory, query, k=4)
    assert found(base, query, k=4, exact=True) == found(memory, query, k=4)
    assert found(base, query, k=4, where={"n": 2}) == found(memory, query, k=4, where={"n": 2})
    parts, same = base._store.contents.parts, memory._store.contents.parts
    np.testing.assert_array_equal(parts.places, same.places)
    np.testing.assert_array_equal(parts.vectors, same.vectors)


def test_another_process_finds_all_that_was_added_and_one_at_a_time_may_have_it_open(
    place, encoder, tmp_path
):
    base = KnowledgeBase.open(place, "use")
    base.add(["持护士执业证", "焊工"], [{"city": "上海"}, {}])
    code = f"""import psutil, workbench as wb; here = psutil.Process()
base = wb.KnowledgeBase.open({place!r}, create=False)
print(base.texts, base.search("护士", k=1, cutoff=0.4)[0]["index"], here.net_connections("inet"))"""
    locked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Milvus Lite lets only one" in locked.stderr
    del base
    gc.collect()
    opened = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (opened.stdout, opened.stderr) == ("['持护士执业证', '焊工'] 0 []\n", "")
    assert (tmp_path / "jobs.db").stat().st_mode & 0o77 == 0


def test_rows_that_a_killed_process_left_uncounted_are_not_found_and_go(place, encoder, monkeypatch):
    base = KnowledgeBase.open(place, encoder)
    base.add(["python", "java"])

    def killed(*_given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("workbench.retrieval.milvus_store._write", killed)
        with pytest.raises(KeyboardInterrupt):
            base.add(["nurse"])
    assert (base.texts, len(base), found(base, "nurse", k=2)[0][1]) == (["python", "java"], 2, "python")
    base.add(["rust"])
    assert base.texts == KnowledgeBase.open(place, encoder).texts == ["python", "java", "rust"]


def test_encoded_again_it_is_one_of_the_other_encoder(place, encoder):
    KnowledgeBase.open(place, encoder).add(DOCUMENTS)
    with pytest.raises(EncoderMismatchError):
        KnowledgeBase.open(place, "use")
    again = KnowledgeBase.open(place, "use", reencode=True)
    assert again.vectors.shape == (4, 512)
    assert found(again, "护士", k=4) == found(wb.KnowledgeBase.from_texts(DOCUMENTS, "use"), "护士", k=4)


@pytest.mark.parametrize("act", ["remove", "forget"])
def test_no_byte_of_what_is_removed_is_left_in_the_folder(act, place, encoder, tmp_path):
    base = KnowledgeBase.open(place, encoder)
    secret = "wang.fang@example.org 重症监护护士"
    base.add(["python", secret, DOCUMENTS[0]], [{}, {"person": "wang-fang-0417"}, {}])
    vector = base.vectors[1].tobytes()
    written = contents(tmp_path / "jobs.db")
    assert secret.encode() in written
    assert vector in written
    assert base.remove([1]) == 1 if act == "remove" else base._store.forget(text_key(secret).__eq__) == 1
    left = contents(tmp_path / "jobs.db")
    forms = (secret.encode(), vector, b"wang-fang-0417", text_key(secret).hex().encode(), b"wang.fang")
    assert [form for form in forms if form in left] == []
    assert base.texts == ["python", DOCUMENTS[0]]
    assert found(base, "RN licence", k=1)[0][3]["text"] == "- RN licence"


def test_a_person_is_forgotten_in_every_knowledge_base_of_the_folder_and_nobody_else(place, tmp_path):
    secret = "王芳 重症监护护士，会用呼吸机"
    for name, other in (("jobs", "管道焊接，持焊工证"), ("night", "夜班护士")):
        KnowledgeBase.open(f"{place}#{name}", "use").add([secret, other])
    done = forget(text=secret)
    assert (done.still_there, [n for at, n in done.erased.items() if at.endswith("jobs.db")]) == ((), [2])
    assert secret.encode() not in contents(tmp_path / "jobs.db")
    assert KnowledgeBase.open(f"{place}#jobs").texts == ["管道焊接，持焊工证"]
    assert KnowledgeBase.open(f"{place}#night").texts == ["夜班护士"]


def test_on_a_server_what_is_removed_leaves_gaps_that_nobody_sees(server, encoder):
    texts = ["python", "java", DOCUMENTS[0], "typhoon", "nurse", "rust"]
    base = KnowledgeBase.open(f"{server}#gaps", encoder)
    base.add(texts, [{"even": n % 2 == 0} for n in range(6)])
    assert base.remove([1, 3]) == 2
    assert base._store.forget(text_key("nurse").__eq__) == 1
    left = ["python", DOCUMENTS[0], "rust"]
    memory = KnowledgeBase.from_texts(left, encoder, [{"even": True}, {"even": True}, {"even": False}])
    for here in (base, KnowledgeBase.open(f"{server}#gaps", encoder)):
        assert (here.texts, len(here)) == (left, 3)
        for query in ("rust", "ventilation of patients", DOCUMENTS[0]):
            assert found(here, query, k=3) == found(memory, query, k=3)
        assert found(here, "rust", k=3, where={"even": 0}) == found(memory, "rust", k=3, where={"even": 0})
    assert base.remove(where={"even": True}) == 2
    assert base.add(["java", "rust"]).added == 1
    assert base.texts == ["rust", "java"]


def test_one_that_writes_to_a_server_where_another_has_written_meanwhile_is_told(server, encoder):
    one, other = (KnowledgeBase.open(f"{server}#two", encoder) for _ in range(2))

    def at_once():
        with one._store.changing():
            other.add(["python"])
            one._store.append(Contents.nothing(encoder.dimension))

    with pytest.raises(StoreError, match="Let one write at a time"):
        at_once()
    assert KnowledgeBase.open(f"{server}#two", encoder).texts == ["python"]


def test_several_knowledge_bases_share_one_place(place, encoder):
    KnowledgeBase.open(f"{place}#jobs", encoder).add(["nurse"])
    KnowledgeBase.open(f"{place}#jobs_2", encoder).add(["rust"])
    KnowledgeBase.open(f"{place}#jobs", encoder).add(["python"])
    assert KnowledgeBase.open(f"{place}#jobs_2", encoder).texts == ["rust"]
    with pytest.raises(StoreError, match="There is no knowledge base at"):
        KnowledgeBase.open(place, encoder, create=False)


@pytest.mark.parametrize(
    "address", ["milvus:", "milvus:http://user:secret@host:19530", "milvus:jobs.db#a b", "milvus:x#a__1"]
)
def test_an_address_that_is_none_or_would_show_a_secret_is_refused(address, encoder):
    with pytest.raises(InputError, match="no address of a knowledge base in Milvus") as refused:
        KnowledgeBase.open(address, encoder)
    assert "secret" not in str(refused.value)


def test_a_server_that_is_not_there_is_named(encoder):
    with pytest.raises(StoreError, match=r"Milvus at milvus:http://127.0.0.1:9 cannot be reached"):
        KnowledgeBase.open("milvus:http://127.0.0.1:9", encoder)


def test_what_milvus_cannot_keep_is_refused_and_adds_nothing(place, encoder):
    base = KnowledgeBase.open(place, encoder)
    with pytest.raises(InputError, match=r"Text 1 or its metadata has more than 65,535 bytes"):
        base.add(["nurse", "护" * 21_846])
    assert base.texts == []


def test_a_folder_of_something_else_is_left_alone(tmp_path, encoder):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(StoreError, match="holds something else"):
        KnowledgeBase.open(f"milvus:{tmp_path}", encoder)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(StoreError, match="There is no knowledge base"):
        KnowledgeBase.open(f"milvus:{tmp_path / 'none.db'}", encoder, create=False)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_commands_take_the_address(place, tmp_path):
    (tmp_path / "jds.txt").write_text("持护士执业证\n管道焊接\n")

    def run(*arguments):
        done = CliRunner().invoke(app, [str(each) for each in arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    assert "now has 2 texts." in run("kb", "add", place, tmp_path / "jds.txt", "-e", "use")
    assert "graph of Milvus Lite" in run("kb", "info", place)
    assert "持护士执业证" in run("kb", "search", place, "护士", "-c", "0", "--where", "source=jds.txt")
    assert "持护士执业证" in run("search", "护士", "--kb", place, "-c", "0", "-e", "use")
    run("kb", "export", place, tmp_path / "out.csv")
    assert "管道焊接" in (tmp_path / "out.csv").read_text("utf-8-sig")
    assert "now has 1 text." in run("kb", "remove", place, "--row", "0", "--yes")

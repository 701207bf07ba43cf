"""vLLM, TEI and Infinity as of ``docs/servers.md``: the model's own vectors and scores come back."""

from __future__ import annotations

import time

import numpy as np
import pytest
from dialects import ENCODER, LONGEST, TEI, VLLM, Infinity, InfinityWithoutPrefix, share
from servers import ScriptedServer, embeddings

import workbench as wb
from workbench.encoders import compare_vectors
from workbench.encoders.server import ServerEncoder
from workbench.errors import EncoderError, EncoderUnavailableError
from workbench.scorers import ServerReranker

TEXTS = [f"{word} number {n}" for n in range(40) for word in ("nurse", "welder", "护士")]
JD = "night nurse on a ward"
LONG = "violin " * 150


@pytest.fixture(params=[VLLM, TEI, Infinity])
def dialect(request):
    return request.param


def reranked(reranker, resumes):
    found = np.full(len(resumes), np.nan)
    windows = np.zeros(len(resumes), dtype=bool)
    for positions, scores, in_windows in reranker.score_batches(JD, resumes):
        found[positions], windows[positions] = scores, in_windows
    return found, windows


def test_vectors_are_the_models_in_the_order_of_the_texts_with_requests_side_by_side(dialect):
    with dialect() as server:
        encoder = ServerEncoder(f"{server.url}#toy", batch_size=7, concurrency=4)
        np.testing.assert_allclose(
            encoder.encode_documents(TEXTS), ENCODER.encode_documents(TEXTS), atol=1e-6
        )
        assert {request["encoding_format"] for request in server.requests} == {"float"}
    assert 2 <= server.most_inside <= 4


def test_the_number_of_texts_that_a_server_takes_is_found_out_once(dialect):
    with dialect() as server:
        encoder = ServerEncoder(f"{server.url}#toy", batch_size=64, concurrency=1)
        np.testing.assert_allclose(
            encoder.encode_documents(TEXTS * 3), ENCODER.encode_documents(TEXTS * 3), atol=1e-6
        )
    most = getattr(server, "most", 64)
    assert sum(len(request["input"]) > most for request in server.requests) == (most < 64)
    assert encoder.batch_size == (32 if most < 64 else 64)


def test_a_server_that_has_too_much_to_do_is_asked_again(dialect):
    with dialect() as server:
        server.busy = 3
        vectors = ServerEncoder(f"{server.url}#toy").encode_documents(TEXTS[:3])
        np.testing.assert_allclose(vectors, ENCODER.encode_documents(TEXTS[:3]), atol=1e-6)
        server.busy = 1000
        with pytest.raises(EncoderError, match=r"fails \(429, asked 3 times\): Model is overloaded\."):
            ServerEncoder(f"{server.url}#toy", max_retries=2).encode_documents(["a"])


def test_it_is_asked_again_when_it_says():
    def busy_at_first(request, number):
        if number == 0:
            return 429, {"error": {"message": "slow down"}}, {"Retry-After": "0.4"}
        return embeddings([[1.0, 2.0]] * len(request["input"]))

    with ScriptedServer(busy_at_first) as server:
        began = time.monotonic()
        ServerEncoder(f"{server.url}#toy").encode_documents(["a"])
    assert time.monotonic() - began >= 0.4


def test_what_no_second_try_mends_is_asked_once_and_said_so():
    said = {"error": "model is not a re-ranker model", "error_type": "Backend"}
    with (
        ScriptedServer(lambda *_: (424, said)) as server,
        pytest.raises(EncoderError, match=r"\(424, asked once\): model is not a re-ranker model\."),
    ):
        ServerEncoder(f"{server.url}#toy").encode_documents(["a"])
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("dialect", "said"),
    [
        (VLLM, r"\(400\): This model's maximum context length is 400 tokens.*"),
        (TEI, r"\(413\): `inputs` must have less than 400 tokens. Given: 1050\."),
        (Infinity, r"\(422\): String should have at most 900 characters\."),
    ],
)
def test_a_text_that_is_too_long_is_told_of_in_the_servers_words_and_costs_the_others_nothing(dialect, said):
    with dialect() as server:
        encoder = ServerEncoder(f"{server.url}#toy", batch_size=16)
        with pytest.raises(EncoderError, match=f"{said} It was a text of 1,050 characters") as caught:
            encoder.encode_documents([*TEXTS[:10], LONG])
        assert "violin" not in str(caught.value)
        assert encoder.batch_size == 16


@pytest.mark.parametrize("dialect", [VLLM, Infinity])
def test_a_model_that_is_not_served_is_told_of_and_the_only_one_is_found(dialect):
    with dialect("BAAI/bge-m3") as server:
        with pytest.raises((EncoderError, EncoderUnavailableError), match=r"toy.*(does not exist|not found)"):
            ServerEncoder(f"{server.url}#toy").encode_documents(["a"])
        assert ServerEncoder(server.url).name == "BAAI/bge-m3"


def test_tei_lists_no_model_so_that_one_must_be_named():
    with (
        TEI() as server,
        pytest.raises(EncoderUnavailableError, match=r"/v1#model for a server that does not"),
    ):
        ServerEncoder(server.url).encode_documents(["a"])


@pytest.mark.parametrize(
    ("dialect", "said"), [(VLLM, "matryoshka"), (TEI, "asked for 8 dimensions and gave")]
)
def test_a_model_that_cannot_shorten_its_vectors_is_told_of(dialect, said):
    with dialect() as server, pytest.raises(EncoderError, match=said):
        ServerEncoder(f"{server.url}#toy", dimension=8).encode_documents(["a"])


def test_a_server_that_cuts_texts_is_found_out_by_comparing():
    jds, resumes = ["nurse " * 80 + word for word in ("ward", "java", "chef")], ["nurse", "java", "chef"]
    cutoff = wb.Cutoff(0.5, ENCODER.name, ENCODER.fingerprint)
    with TEI() as server:
        server.cuts = True
        encoder = ServerEncoder(f"{server.url}#toy")
        assert compare_vectors(ENCODER, encoder, resumes, resumes, cutoff=cutoff).is_same
        assert not compare_vectors(ENCODER, encoder, jds, resumes, cutoff=cutoff).is_same
    assert max(map(len, jds)) > LONGEST


@pytest.mark.parametrize("end", ["/v1#toy", "#toy", "/rerank#toy"])
def test_scores_are_the_rerankers_however_the_address_is_written(dialect, end):
    resumes = TEXTS[:50]
    with dialect() as server:
        if end.startswith("/rerank") and dialect is Infinity:
            server.acts = InfinityWithoutPrefix.acts
        address = server.url.removesuffix("/v1")
        found, windows = reranked(ServerReranker(f"{address}{end}", batch_size=48), resumes)
    np.testing.assert_allclose(found, [share(JD, resume) for resume in resumes])
    assert not windows.any()


@pytest.mark.parametrize("dialect", [VLLM, TEI])
def test_one_long_resume_is_read_in_windows_and_the_others_together(dialect):
    resumes = [*TEXTS[:20], LONG + JD, *TEXTS[20:40]]
    with dialect() as server:
        reranker = ServerReranker(f"{server.url}#toy", batch_size=16, concurrency=1)
        found, windows = reranked(reranker, resumes)
        assert reranker.batch_size == 16
    assert windows.nonzero()[0].tolist() == [20]
    assert found[20] == 1
    np.testing.assert_allclose(np.delete(found, 20), [share(JD, text) for text in TEXTS[:40]])


def test_infinity_is_reached_without_a_prefix_too():
    with InfinityWithoutPrefix() as server:
        address = server.url.removesuffix("/v1")
        encoder = ServerEncoder(f"{address}/embeddings")
        assert (encoder.name, encoder.device) == ("toy", address)
        np.testing.assert_allclose(encoder.encode_queries(TEXTS), ENCODER.encode_documents(TEXTS), atol=1e-6)
        found, _ = reranked(ServerReranker(f"{address}#toy"), TEXTS[:5])
    np.testing.assert_allclose(found, [share(JD, resume) for resume in TEXTS[:5]])


def test_a_server_is_the_second_stage_of_a_ranking(dialect):
    resumes = ["welder of pipes", "ward nurse, nights", "night nurse on a ward"]
    with dialect() as server:
        ranking = wb.rank([JD], resumes, scorer=f"keyword+rerank:{server.url}#toy").to_frame()
    assert ranking["resume_id"].tolist() == ["3", "2", "1"]
    assert ranking["score"].tolist() == pytest.approx(
        sorted((share(JD, text) for text in resumes), reverse=True)
    )

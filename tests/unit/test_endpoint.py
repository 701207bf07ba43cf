"""What encoders' servers and rerankers' have in common: where texts go, how long and how much we listen."""

from __future__ import annotations

import gzip
import json
import time
import warnings

import pytest
from servers import RawServer, ScriptedServer, drip, embeddings, free_port, reranked

from workbench.encoders.fast import endpoint, wire
from workbench.encoders.fast.endpoint import Endpoint
from workbench.encoders.server import ServerEncoder
from workbench.errors import EncoderError, EncoderUnavailableError
from workbench.scorers import ServerReranker

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def encode(url, **options):
    return ServerEncoder(f"{url}#toy", max_retries=0, **options).encode_documents(["a", "bb"])


def rerank(url, **options):
    return list(ServerReranker(f"{url}#toy", max_retries=0, **options).score_batches("jd", ["a", "bb"]))


def answer(request, number):
    if "input" in request:
        return embeddings([[1.0, len(text)] for text in request["input"]])
    return reranked(len(text) / 10 for text in request["documents"])


@pytest.fixture(params=[encode, rerank])
def ask(request):
    return request.param


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_texts_do_not_follow_a_redirect(ask, code):
    with ScriptedServer(answer) as other:
        elsewhere = {"Location": f"{other.url}/embeddings"}
        with (
            ScriptedServer(lambda *_: (code, {}, elsewhere)) as server,
            pytest.raises(EncoderUnavailableError, match=rf"points to another address \({code}\)"),
        ):
            ask(server.url)
    assert other.requests == []


@pytest.mark.parametrize(
    ("start", "piece"), [(HEAD + b"\r\n", b" "), (HEAD, b"X-More: 1\r\n"), (b"", b"H")], ids=str
)
def test_a_server_that_drips_ends_with_the_time_for_one_answer(ask, start, piece):
    began = time.monotonic()
    with (
        RawServer(drip(start, piece, 0.05)) as server,
        pytest.raises(EncoderError, match=r"did not answer within 0\.4 s, asked once"),
    ):
        ask(server.url, timeout=0.4)
    assert time.monotonic() - began < 5


def test_a_server_that_floods_is_left(ask, monkeypatch):
    for module in (wire, endpoint):
        monkeypatch.setattr(module, "MOST_BYTES", 2**22)

    def flood():
        yield HEAD + b"\r\n"
        while True:
            yield b" " * 2**18

    with (
        RawServer(flood) as server,
        pytest.raises(EncoderError, match="sent more than 4 MB for one answer"),
    ):
        ask(server.url)
    # What the sockets hold is on the way already.
    assert server.sent < 5 * 2**22


def test_a_small_answer_is_not_unpacked_to_a_large_one(ask):
    body = gzip.compress(json.dumps({**embeddings([[1], [1]]), **reranked([0.1, 0.2])}).encode())

    def packed():
        yield HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    with (
        RawServer(packed) as server,
        pytest.raises(EncoderError, match=r"cannot be read|does not give|no list"),
    ):
        ask(server.url)


def test_nesting_without_an_end_is_an_error(ask):
    with (
        ScriptedServer(lambda *_: b"[" * 200_000) as server,
        pytest.raises(EncoderError, match="cannot be read"),
    ):
        ask(server.url)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "CUDA out of memory", "type": "x"}},
        {"error": "CUDA out of memory", "error_type": "Backend"},
        {"object": "error", "message": "CUDA out of memory", "code": 500},
        {"detail": "CUDA out of memory"},
    ],
)
def test_a_servers_own_words_are_passed_on_with_status_200_too(ask, body):
    with (
        ScriptedServer(lambda *_: body) as server,
        pytest.raises(EncoderError, match=r"127\.0\.0\.1:\d+/v1 answers with an error: CUDA out of memory\."),
    ):
        ask(server.url)


def test_words_of_fastapi_are_found():
    body = {"detail": [{"loc": ["body", "input"], "msg": "field required", "type": "missing"}]}
    with (
        ScriptedServer(lambda *_: (500, body)) as server,
        pytest.raises(EncoderError, match="field required"),
    ):
        encode(server.url)


def test_an_answer_without_numbers_is_taken_in_order_and_said():
    def unnumbered(request, number):
        given = answer(request, number)
        for entry in given.get("data", []):
            del entry["index"]
        return given

    with ScriptedServer(unnumbered) as server:
        encoder = ServerEncoder(f"{server.url}#toy", batch_size=1)
        with pytest.warns(UserWarning, match="taken in the order of the texts") as told:
            vectors = encoder.encode_documents(["a", "bbb", "cc"])
    assert (vectors[:, 1] / vectors[:, 0]).round().tolist() == [1, 3, 2]
    assert len(told) == 1


def test_plain_text_to_another_machine_warns_once():
    endpoint.warn_of_plain_text.cache_clear()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for url in ("http://gpu-box:8000/v1#m", "http://gpu-box:8000/v1#m", "https://gpu-box/v1#m"):
            assert Endpoint(url, max_retries=0, timeout=1).client
        for host in ("localhost", "127.0.0.1", "[::1]"):
            assert Endpoint(f"http://{host}:8000/v1#m", max_retries=0, timeout=1).client
    assert [str(each.message) for each in told] == [
        "Texts are sent to http://gpu-box:8000/v1 as anybody on the way can read them; use https, or a "
        "tunnel to localhost."
    ]


def test_errors_call_a_reranker_a_reranker():
    url = f"http://127.0.0.1:{free_port()}/v1"
    with pytest.raises(EncoderUnavailableError, match="vllm serve Qwen/Qwen3-Reranker-4B"):
        rerank(url)
    with pytest.raises(EncoderUnavailableError, match="vllm serve Qwen/Qwen3-Embedding-4B"):
        encode(url)
    for ask, what in ((rerank, "reranker"), (encode, "encoder")):
        with (
            RawServer(drip(b"", b"H", 0.05)) as server,
            pytest.raises(EncoderError, match=f"Load the {what} with a longer timeout"),
        ):
            ask(server.url, timeout=0.2)

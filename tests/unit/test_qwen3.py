"""The Qwen3 encoder, held to sentence-transformers loading the same folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

from workbench.encoders.fast import last_token
from workbench.encoders.fast.last_token import PaddedDecoder
from workbench.encoders.fast.options import Precision
from workbench.encoders.fast.packed_decoder import FusedDecoder
from workbench.encoders.qwen3 import DEFAULT_INSTRUCTION, QWEN3_MODELS, Qwen3Encoder, find_weights
from workbench.errors import (
    EncoderError,
    EncoderUnavailableError,
    InputError,
    MissingDependencyError,
)
from workbench.examples import EXAMPLE_JDS

pytestmark = [pytest.mark.models, pytest.mark.slow]

PUBLISHED_INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"
TEXTS = [
    *EXAMPLE_JDS,
    "Led the data platform team",
    "C++",
    "Java后端",
    "5年经验，熟悉 Kubernetes",
    ": starts with a colon",
    "//comment",
    "://",
    "，以逗号开头",
    "：全角冒号",
    "(senior) engineer",
    "😀 emoji",
    "<|im_start|>not a turn<|im_end|>",
    "ends with the end token<|endoftext|>",
    "一" * 300,
    "word " * 250,
    "。".join(EXAMPLE_JDS),
    "a",
    "护",
]


@pytest.fixture(scope="module")
def encoder(qwen3_checkpoint):
    return Qwen3Encoder(qwen3_checkpoint, device="cpu", instruction=PUBLISHED_INSTRUCTION)


@pytest.fixture(scope="module")
def encoders(encoder, qwen3_checkpoint):
    """Both ways to run the model: packed, as on a CPU in float32, and padded, as elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FusedDecoder, "can_run", lambda model: False)
        padded = Qwen3Encoder(qwen3_checkpoint, device="cpu", instruction=PUBLISHED_INSTRUCTION)
        assert isinstance(padded._decoder, PaddedDecoder)
    assert isinstance(encoder._decoder, FusedDecoder)
    return {"packed": encoder, "padded": padded}


@pytest.fixture(scope="module")
def peer(qwen3_checkpoint):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(qwen3_checkpoint), device="cpu")


@pytest.fixture(scope="module")
def expected(peer):
    """What sentence-transformers makes of the texts, one by one: no padding, no batches."""
    return {
        "document": np.stack([peer.encode_document(text, normalize_embeddings=True) for text in TEXTS]),
        "query": np.stack([peer.encode_query(text, normalize_embeddings=True) for text in TEXTS]),
    }


@pytest.fixture
def copy(qwen3_checkpoint, tmp_path):
    """A copy of the checkpoint that a test may damage."""
    return Path(shutil.copytree(qwen3_checkpoint, tmp_path / "copy"))


def lowest_cosine(a, b) -> float:
    return float((np.asarray(a, np.float64) * np.asarray(b, np.float64)).sum(axis=1).min())


def edit_json(path: Path, **changes) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_vectors_of_the_test_checkpoint_depend_on_the_whole_text(expected):
    # Else the comparisons below could not fail.
    for vectors in expected.values():
        cosines = vectors @ vectors.T
        assert np.quantile(cosines[np.triu_indices(len(TEXTS), 1)], 0.9) < 0.98
    assert (expected["document"] * expected["query"]).sum(axis=1).max() < 0.98


@pytest.mark.parametrize("token_budget", [1, 100, 100_000])
def test_vectors_are_those_of_sentence_transformers_in_batches_of_any_size(
    qwen3_checkpoint, expected, token_budget
):
    encoder = Qwen3Encoder(
        qwen3_checkpoint, device="cpu", instruction=PUBLISHED_INSTRUCTION, token_budget=token_budget
    )
    assert lowest_cosine(encoder.encode_documents(TEXTS), expected["document"]) >= 0.99999
    assert lowest_cosine(encoder.encode_queries(TEXTS), expected["query"]) >= 0.99999


@pytest.mark.parametrize("way", ["packed", "padded"])
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(selection=st.lists(st.integers(0, len(TEXTS) - 1), min_size=1, max_size=30))
def test_vectors_are_those_of_sentence_transformers_for_any_selection_in_any_order(
    encoders, way, expected, selection
):
    texts = [TEXTS[i] for i in selection]
    assert lowest_cosine(encoders[way].encode_documents(texts), expected["document"][selection]) >= 0.99999
    assert lowest_cosine(encoders[way].encode_queries(texts), expected["query"][selection]) >= 0.99999


@contextmanager
def threads(number):
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def two_threads():
    with threads(2):
        yield


@pytest.fixture
def one_thread():
    with threads(1):
        yield


@pytest.mark.usefixtures("two_threads")
def test_vectors_are_those_of_sentence_transformers_where_batches_run_side_by_side(
    qwen3_checkpoint, expected
):
    encoder = Qwen3Encoder(qwen3_checkpoint, device="cpu", instruction=PUBLISHED_INSTRUCTION, token_budget=64)
    assert lowest_cosine(encoder.encode_documents(TEXTS), expected["document"]) >= 0.99999
    assert lowest_cosine(encoder.encode_queries(TEXTS), expected["query"]) >= 0.99999


def test_a_query_is_the_instruction_and_the_text_with_no_space_between(encoder):
    by_hand = [f"Instruct: {PUBLISHED_INSTRUCTION}\nQuery:{text}" for text in TEXTS]
    assert lowest_cosine(encoder.encode_queries(TEXTS), encoder.encode_documents(by_hand)) >= 0.99999


def test_without_an_instruction_queries_are_encoded_as_documents(qwen3_checkpoint):
    encoder = Qwen3Encoder(qwen3_checkpoint, device="cpu", instruction=None)
    assert encoder.instruction is None
    np.testing.assert_array_equal(encoder.encode_queries(TEXTS), encoder.encode_documents(TEXTS))


def test_the_default_instruction_is_about_resumes_and_job_requirements(qwen3_checkpoint):
    encoder = Qwen3Encoder(qwen3_checkpoint, device="cpu")
    assert encoder.instruction == DEFAULT_INSTRUCTION
    assert "resume" in DEFAULT_INSTRUCTION
    assert "job requirements" in DEFAULT_INSTRUCTION


def test_long_texts_are_cut_as_sentence_transformers_cuts_them_and_a_warning_counts_them(
    qwen3_checkpoint, peer, monkeypatch
):
    monkeypatch.setattr(peer, "max_seq_length", 60)
    encoder = Qwen3Encoder(qwen3_checkpoint, device="cpu", instruction=PUBLISHED_INSTRUCTION, max_length=60)
    with pytest.warns(UserWarning, match=r"3 of 26 texts have more than 60 tokens"):
        documents = encoder.encode_documents(TEXTS)
    assert lowest_cosine(documents, peer.encode_document(TEXTS, normalize_embeddings=True)) >= 0.99999
    with pytest.warns(UserWarning, match="were cut at the end"):
        queries = encoder.encode_queries(TEXTS)
    assert lowest_cosine(queries, peer.encode_query(TEXTS, normalize_embeddings=True)) >= 0.99999


def test_texts_that_fit_are_not_warned_about(encoder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.encode_queries(TEXTS)


@pytest.mark.parametrize("max_length", [None, 60])
def test_the_end_token_is_appended_where_the_tokenizer_does_not(copy, qwen3_checkpoint, max_length):
    content = json.loads((copy / "tokenizer.json").read_text())
    content["post_processor"] = content["post_processor"]["processors"][0]
    (copy / "tokenizer.json").write_text(json.dumps(content))
    options = {"device": "cpu", "max_length": max_length}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        ended = Qwen3Encoder(copy, **options).encode_documents(TEXTS)
        expected = Qwen3Encoder(qwen3_checkpoint, **options).encode_documents(TEXTS)
    # This text brings its own end token, which the tokenizer would have doubled.
    own = TEXTS.index("ends with the end token<|endoftext|>")
    kept = np.delete(np.arange(len(TEXTS)), own)
    assert lowest_cosine(ended[kept], expected[kept]) >= 0.99999


def test_the_instruction_is_computed_once_for_all_queries(encoder, monkeypatch):
    prefixes = []

    def compute(ids, original=encoder._decoder.compute_prefix):
        prefixes.append(len(ids))
        return original(ids)

    monkeypatch.setattr(encoder._decoder, "compute_prefix", compute)
    encoder.encode_queries(["Python", "护士执业证", "RAG"])
    encoder.encode_queries(["Python", "://", "：冒号"])
    instruction = f"Instruct: {PUBLISHED_INSTRUCTION}\nQuery:"
    tokens = len(encoder._tokenizer(instruction, add_special_tokens=False)["input_ids"])
    # The colon before "//" is another token than the one before a letter, so it is no longer shared.
    assert prefixes == [tokens, tokens - 1]


@pytest.mark.parametrize("way", ["packed", "padded"])
def test_vectors_with_the_shared_prefix_are_those_without(encoders, way, monkeypatch):

    shared = encoders[way].encode_queries(TEXTS)
    monkeypatch.setattr(last_token, "worthwhile_prefix", lambda tokens, config: 0)
    np.testing.assert_allclose(shared, encoders[way].encode_queries(TEXTS), atol=1e-5, rtol=0)


@pytest.mark.parametrize("way", ["packed", "padded"])
@pytest.mark.parametrize(
    "texts",
    [["C++", "Java"], ["://", "C", "//x", "SQL"], ["：冒号", "，逗号"], [": a", "a", ":a"], ["C"] * 3],
    ids=" ".join,
)
def test_where_the_colon_before_a_text_merges_with_it_vectors_are_still_those_of_each_text_alone(
    encoders, peer, way, texts
):
    expected = np.stack([peer.encode_query(text, normalize_embeddings=True) for text in texts])
    assert lowest_cosine(encoders[way].encode_queries(texts), expected) >= 0.99999


# What torch does is seen in this thread only.
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("role", ["document", "query"])
def test_no_tensor_grows_with_the_square_of_a_long_text(encoder, role):
    from torch.utils._python_dispatch import TorchDispatchMode

    class Sizes(TorchDispatchMode):
        largest = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            out = function(*args, **(kwargs or {}))
            self.largest = max(self.largest, getattr(out, "nelement", int)())
            return out

    long = "word " * 1900
    encoder.encode_documents(["load the weights"])
    with Sizes() as sizes:
        encoder.encode_queries([long, "a"]) if role == "query" else encoder.encode_documents([long, "a"])
    # The widest rows are those of the layers between: 160 numbers for each token, as many as a head's mask
    # has in a block of 512.
    assert 0 < sizes.largest <= 1930 * 512


def test_batches_come_one_by_one_and_leave_torch_as_it_was(qwen3_checkpoint):
    import torch

    encoder = Qwen3Encoder(qwen3_checkpoint, device="cpu", token_budget=64)
    batches = encoder.encode_batches(TEXTS, "query")
    seen = []
    for positions, vectors in batches:
        assert not torch.is_inference_mode_enabled()
        assert vectors.shape == (len(positions), 64)
        seen += positions.tolist()
    assert len(seen) > 1
    assert sorted(seen) == list(range(len(TEXTS)))


@pytest.mark.parametrize("dimension", [32, 48])
def test_shorter_vectors_are_those_of_sentence_transformers(qwen3_checkpoint, peer, dimension):
    encoder = Qwen3Encoder(qwen3_checkpoint, device="cpu", dimension=dimension)
    expected = peer.encode_document(TEXTS, truncate_dim=dimension, normalize_embeddings=True)
    assert encoder.dimension == dimension
    assert encoder.encode_documents(TEXTS).shape == (len(TEXTS), dimension)
    assert lowest_cosine(encoder.encode_documents(TEXTS), expected) >= 0.99999


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("dimension", 31, "dimension is 31; this model takes 32 to 64"),
        ("dimension", 65, "dimension is 65; this model takes 32 to 64"),
        ("dimension", 32.0, "must be a whole number from 32 to 64"),
        ("dimension", True, "must be a whole number"),
        ("max_length", 1, "max_length is 1; this model takes 2 to 2048"),
        ("max_length", 2049, "takes 2 to 2048"),
        ("token_budget", 0, "token_budget is 0"),
        ("instruction", "  ", "instruction is '  '; it must be a sentence"),
        ("instruction", 7, "instruction is 7"),
        ("dtype", "float8", "dtype 'float8' is unknown; use one of auto, float32"),
        ("device", "gpu", "'gpu' is no device; use 'cpu', 'cuda'"),
    ],
)
def test_an_option_that_the_model_does_not_have_is_refused(qwen3_checkpoint, option, value, message):
    with pytest.raises(InputError, match=message):
        Qwen3Encoder(qwen3_checkpoint, **{"device": "cpu", option: value})


def test_an_instruction_that_leaves_no_room_for_the_text_is_refused(qwen3_checkpoint):
    encoder = Qwen3Encoder(qwen3_checkpoint, device="cpu", max_length=20)
    with pytest.raises(InputError, match=r"instruction alone fills the 20 tokens .*\(max_length\)"):
        encoder.encode_queries(["Python"])


@pytest.mark.parametrize("dtype", ["int8", "nf4", "4bit"])
def test_quantised_weights_need_a_gpu(qwen3_checkpoint, dtype):
    with pytest.raises(EncoderUnavailableError, match="NVIDIA GPU only, and the device is 'cpu'"):
        Qwen3Encoder(qwen3_checkpoint, device="cpu", dtype=dtype)


def test_a_gpu_that_is_not_there_is_named(qwen3_checkpoint):
    with pytest.raises(EncoderUnavailableError, match=r"'cuda:99' is not here.*nvidia-smi"):
        Qwen3Encoder(qwen3_checkpoint, device="cuda:99")


def test_bfloat16_gives_nearly_the_same_vectors(qwen3_checkpoint, expected):
    encoder = Qwen3Encoder(qwen3_checkpoint, device="cpu", dtype="bfloat16")
    assert encoder.recipe["precision"] == "bfloat16"
    cosine = lowest_cosine(encoder.encode_documents(TEXTS), expected["document"])
    assert 0.98 < cosine < 0.999999


def test_half_precision_that_overflows_is_an_error_that_names_text_and_precision(copy):
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    name = next(name for name in weights if name.endswith("embed_tokens.weight"))
    weights[name] *= 1e6  # float16 ends at 65,504
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    assert np.isfinite(Qwen3Encoder(copy, device="cpu").encode_documents(["RAG 架构"])).all()
    with pytest.raises(EncoderError, match=r"copy \(float16\).*text 0.*bfloat16"):
        Qwen3Encoder(copy, device="cpu", dtype="float16").encode_documents(["RAG 架构"])


def test_the_fingerprint_does_not_depend_on_where_or_in_how_many_files_the_weights_lie(copy, encoder):
    from transformers import AutoModel

    model = AutoModel.from_pretrained(copy)
    (copy / "model.safetensors").unlink()
    model.save_pretrained(copy, max_shard_size="10MB")
    shutil.copy(encoder._folder / "config.json", copy)
    assert len(list(copy.glob("model-*-of-*.safetensors"))) > 1
    moved = Qwen3Encoder(copy, name="other", device="cpu", instruction=PUBLISHED_INSTRUCTION, token_budget=99)
    assert moved.fingerprint == encoder.fingerprint
    assert lowest_cosine(moved.encode_documents(TEXTS), encoder.encode_documents(TEXTS)) >= 0.99999


@pytest.mark.parametrize(
    "options",
    [
        {"instruction": "Given a resume, retrieve jobs"},
        {"instruction": None},
        {"dimension": 32},
        {"dtype": "bfloat16"},
        {"max_length": 100},
    ],
    ids=lambda options: next(iter(options)),
)
def test_the_fingerprint_changes_with_what_changes_vectors(qwen3_checkpoint, options):
    plain = Qwen3Encoder(qwen3_checkpoint, device="cpu")
    assert Qwen3Encoder(qwen3_checkpoint, device="cpu", **options).fingerprint != plain.fingerprint


def test_the_fingerprint_tells_precisions_apart_that_compute_alike(qwen3_checkpoint, monkeypatch):
    """On GPUs of two kinds, the same quantised weights are computed with in float16 or in bfloat16."""
    known = [
        Precision("int8", "float16"),
        Precision("int8", "bfloat16"),
        Precision("nf4", "float16"),
        Precision("float16", "float16"),
    ]
    found = set()
    for precision in known:
        monkeypatch.setattr("workbench.encoders.qwen3.resolve_precision", lambda *_, p=precision: p)
        found.add(Qwen3Encoder(qwen3_checkpoint, device="cpu").fingerprint)
    assert len(found) == 4


@pytest.mark.parametrize("tensor", ["embed_tokens.weight", "layers.1.mlp.down_proj.weight", "norm.weight"])
def test_other_weights_of_the_same_shapes_have_another_fingerprint(copy, encoder, tensor):
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    name = next(name for name in weights if name.endswith(tensor))
    weights[name] = weights[name] * 1.01
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    changed = Qwen3Encoder(copy, device="cpu", instruction=PUBLISHED_INSTRUCTION)
    assert changed.fingerprint != encoder.fingerprint


def test_another_tokenizer_or_configuration_has_another_fingerprint(copy, encoder):
    options = {"device": "cpu", "instruction": PUBLISHED_INSTRUCTION}
    edit_json(copy / "config.json", transformers_version="9.9", dtype="bfloat16")
    assert Qwen3Encoder(copy, **options).fingerprint == encoder.fingerprint
    edit_json(copy / "config.json", rms_norm_eps=1e-3)
    with_epsilon = Qwen3Encoder(copy, **options).fingerprint
    edit_json(copy / "tokenizer.json", normalizer=None)
    assert len({encoder.fingerprint, with_epsilon, Qwen3Encoder(copy, **options).fingerprint}) == 3


def test_name_dimension_and_fingerprint_need_no_weights_in_memory(qwen3_checkpoint, monkeypatch):
    from transformers import AutoModel

    monkeypatch.setattr(AutoModel, "from_pretrained", lambda *a, **k: pytest.fail("weights were loaded"))
    encoder = Qwen3Encoder(qwen3_checkpoint, device="cpu")
    assert (encoder.name, encoder.dimension, len(encoder.fingerprint)) == ("tiny-qwen3", 64, 12)
    assert encoder.encode_documents([]).shape == (0, 64)


def test_a_published_models_folder_gives_its_short_name(qwen3_checkpoint, tmp_path):
    folder = tmp_path / "Qwen3-Embedding-0.6B"
    folder.symlink_to(qwen3_checkpoint)
    assert Qwen3Encoder(folder, device="cpu").name == "qwen3-0.6b"


# Shapes of the published config.json files.
SHAPES = {
    "qwen3-0.6b": {
        "vocab_size": 151_669,
        "hidden_size": 1024,
        "intermediate_size": 3072,
        "num_hidden_layers": 28,
    },
    "qwen3-4b": {
        "vocab_size": 151_665,
        "hidden_size": 2560,
        "intermediate_size": 9728,
        "num_hidden_layers": 36,
    },
    "qwen3-8b": {
        "vocab_size": 151_665,
        "hidden_size": 4096,
        "intermediate_size": 12288,
        "num_hidden_layers": 36,
    },
}


@pytest.mark.parametrize("name", QWEN3_MODELS)
def test_the_table_of_published_models_has_the_figures_of_their_architecture(name):
    import torch
    from transformers import Qwen3Config, Qwen3Model

    heads = 16 if name == "qwen3-0.6b" else 32
    config = Qwen3Config(**SHAPES[name], num_attention_heads=heads, num_key_value_heads=8, head_dim=128)
    with torch.device("meta"):
        parameters = sum(tensor.numel() for tensor in Qwen3Model(config).parameters())
    assert QWEN3_MODELS[name].parameters == parameters
    assert QWEN3_MODELS[name].dimension == config.hidden_size
    assert QWEN3_MODELS[name].bfloat16_bytes == 2 * parameters


# Finding weights


@pytest.fixture
def no_hub(monkeypatch, tmp_path):
    """An empty Hugging Face cache and no network."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def test_weights_that_are_nowhere_are_an_error_that_says_where_it_looked_and_what_to_do(
    no_hub, monkeypatch, tmp_path
):
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path / "models"))
    assert find_weights("qwen3-4b") is None
    with pytest.raises(EncoderUnavailableError) as caught:
        Qwen3Encoder("qwen3-4b", device="cpu")
    message = str(caught.value)
    assert "Qwen/Qwen3-Embedding-4B (8.0 GB)" in message
    assert f"{tmp_path / 'models' / 'Qwen3-Embedding-4B'} (no such folder)" in message
    assert "hf download Qwen/Qwen3-Embedding-4B" in message
    assert "modelscope download --model Qwen/Qwen3-Embedding-4B" in message
    assert "WORKBENCH_MODELS" in message


@pytest.mark.parametrize("place", ["Qwen3-Embedding-0.6B", "Qwen/Qwen3-Embedding-0.6B"])
def test_weights_in_the_models_folder_are_found(qwen3_checkpoint, no_hub, monkeypatch, tmp_path, place):
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).symlink_to(qwen3_checkpoint)
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path))
    assert find_weights("qwen3-0.6b") == tmp_path / place
    assert Qwen3Encoder("qwen3-0.6b", device="cpu").dimension == 64


def test_weights_in_the_hugging_face_cache_are_found(qwen3_checkpoint, no_hub):
    repository = no_hub / "models--Qwen--Qwen3-Embedding-0.6B"
    commit = "0123456789abcdef0123456789abcdef01234567"
    (repository / "snapshots").mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots" / commit).symlink_to(qwen3_checkpoint)
    assert find_weights("qwen3-0.6b") == repository / "snapshots" / commit
    encoder = Qwen3Encoder("qwen3-0.6b", device="cpu")
    assert encoder.name == "qwen3-0.6b"


def test_a_download_that_broke_off_is_not_taken_for_weights(copy, no_hub, monkeypatch, tmp_path):
    copy.rename(tmp_path / "Qwen3-Embedding-8B")
    folder = tmp_path / "Qwen3-Embedding-8B"
    (folder / "model.safetensors").unlink()
    files = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    (folder / files[0]).touch()
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": dict(zip("ab", files, strict=True))})
    )
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path))
    assert find_weights("qwen3-8b") is None
    with pytest.raises(
        EncoderUnavailableError, match=r"model-00002-of-00002.safetensors is missing \(1 of 2"
    ):
        Qwen3Encoder("qwen3-8b", device="cpu")


def test_a_model_of_another_short_name_is_refused():
    with pytest.raises(InputError, match=r"known: qwen3-0.6b, qwen3-4b, qwen3-8b"):
        find_weights("qwen3-72b")


# Folders that cannot be used


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(EncoderUnavailableError, match="There is no folder"):
        Qwen3Encoder(tmp_path / "nothing")


def test_a_folder_without_a_checkpoint(tmp_path):
    with pytest.raises(EncoderUnavailableError, match=r"no config\.json"):
        Qwen3Encoder(tmp_path)


def test_pickled_weights_are_refused(copy):
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(EncoderUnavailableError, match=r"pytorch_model.bin, a pickle.*safetensors"):
        Qwen3Encoder(copy)


def test_a_folder_without_weights(copy):
    (copy / "model.safetensors").unlink()
    with pytest.raises(EncoderUnavailableError, match=r"no model\.safetensors; download the weights too"):
        Qwen3Encoder(copy)


def test_a_damaged_configuration_is_named(copy):
    (copy / "config.json").write_text('{"model_type": "qwen3", ')
    with pytest.raises(
        EncoderUnavailableError, match=r"config\.json is damaged \(it cannot be read as JSON: "
    ):
        Qwen3Encoder(copy)


def test_another_kind_of_model_is_pointed_to_its_encoder(minilm_checkpoint):
    with pytest.raises(
        EncoderUnavailableError, match=r"a 'bert' model, not Qwen3-Embedding; load it as 'st:"
    ):
        Qwen3Encoder(minilm_checkpoint)


def test_a_qwen3_model_with_another_pooling_is_pointed_to_its_encoder(copy):
    edit_json(copy / "1_Pooling" / "config.json", pooling_mode_lasttoken=False, pooling_mode_mean_tokens=True)
    with pytest.raises(EncoderUnavailableError, match="pooling of its own"):
        Qwen3Encoder(copy)


def test_the_newer_way_to_name_the_pooling_is_understood(copy):
    (copy / "1_Pooling" / "config.json").write_text(
        '{"embedding_dimension": 64, "pooling_mode": "lasttoken"}'
    )
    assert Qwen3Encoder(copy, device="cpu").dimension == 64


def test_a_git_lfs_pointer_is_not_taken_for_weights(copy):
    (copy / "model.safetensors").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    )
    with pytest.raises(EncoderUnavailableError, match=r"Git LFS pointer.*git lfs pull"):
        Qwen3Encoder(copy, device="cpu").fingerprint  # noqa: B018


def test_weights_that_are_cut_off_are_named(copy):
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(
        EncoderUnavailableError, match=r"model.safetensors is cut off: tensor .* Download it again"
    ):
        Qwen3Encoder(copy, device="cpu").fingerprint  # noqa: B018
    with pytest.raises(EncoderUnavailableError, match="cannot load the weights"):
        Qwen3Encoder(copy, device="cpu").encode_documents(["x"])


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 100, b"\x02\x00\x00\x00\x00\x00\x00\x00[]"])
def test_a_file_that_is_no_safetensors_is_named(copy, content):
    (copy / "model.safetensors").write_bytes(content)
    with pytest.raises(EncoderUnavailableError, match="not a whole safetensors file"):
        Qwen3Encoder(copy, device="cpu").fingerprint  # noqa: B018


def test_a_checkpoint_that_lacks_a_tensor_is_refused_and_not_filled_with_random_numbers(copy):
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    del weights[next(name for name in weights if name.endswith("layers.1.self_attn.q_proj.weight"))]
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(EncoderUnavailableError, match=r"lacks 1 of the model's tensors.*q_proj"):
        Qwen3Encoder(copy, device="cpu").encode_documents(["x"])


def test_a_tokenizer_without_padding_token_is_refused(copy):
    edit_json(copy / "tokenizer_config.json", pad_token=None)
    with pytest.raises(EncoderUnavailableError, match="names no padding token"):
        Qwen3Encoder(copy, device="cpu").encode_documents(["x"])


# What is installed


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_a_missing_package_is_named_with_the_extra_that_brings_it(qwen3_checkpoint, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=rf"needs {package}, not installed.*\.\[qwen\]"):
        Qwen3Encoder(qwen3_checkpoint)


def test_importing_the_module_imports_neither_torch_nor_transformers():
    code = (
        "import sys, workbench.encoders.qwen3 as q, workbench.encoders.sentence_transformer; "
        "q.QWEN3_MODELS; print({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"

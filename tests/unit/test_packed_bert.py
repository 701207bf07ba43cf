"""BERT without padding, held to transformers' own modules with random weights."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from workbench.encoders.fast.packed_bert import ARCHITECTURES, PackedBert  # noqa: E402

pytestmark = pytest.mark.models

PADDING = 1
LENGTHS = [9, 9, 5, 1]


def model_of(architecture: str, **options):
    torch.manual_seed(0)
    config = getattr(transformers, architecture.replace("Model", "Config"))(
        vocab_size=60,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=72,
        max_position_embeddings=40,
        pad_token_id=PADDING,
        initializer_range=0.3,
        **options,
    )
    return getattr(transformers, architecture)(config).eval()


def batch(side: str = "right"):
    draw = torch.Generator().manual_seed(1)
    ids = torch.full((len(LENGTHS), max(LENGTHS)), PADDING)
    mask = torch.zeros_like(ids)
    for row, length in enumerate(LENGTHS):
        place = slice(0, length) if side == "right" else slice(max(LENGTHS) - length, None)
        ids[row, place] = torch.randint(2, 60, (length,), generator=draw)
        mask[row, place] = 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}


def states_of(model, features):
    with torch.inference_mode():
        return model(**features)["last_hidden_state"]


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_token_states_are_those_of_transformers(architecture, side):
    model, features = model_of(architecture), batch(side)
    inside = features["attention_mask"].bool()
    expected = states_of(model, features)[inside]
    ours = states_of(PackedBert(model), features)
    torch.testing.assert_close(ours[inside], expected, atol=1e-5, rtol=1e-5)
    assert (ours[~inside] == 0).all()


@pytest.mark.parametrize("activation", ["gelu", "relu", "silu"])
def test_each_activation_that_it_takes_is_that_of_transformers(activation):
    model, features = model_of("BertModel", hidden_act=activation), batch()
    inside = features["attention_mask"].bool()
    expected = states_of(model, features)[inside]
    assert PackedBert.can_run(model)
    torch.testing.assert_close(states_of(PackedBert(model), features)[inside], expected, atol=1e-5, rtol=1e-5)


def test_a_padding_id_inside_a_text_is_read_as_transformers_reads_it():
    # RoBERTa does not count it as a position.
    model, features = model_of("XLMRobertaModel"), batch()
    features["input_ids"][0, 3] = PADDING
    expected = states_of(model, features)[0]
    torch.testing.assert_close(states_of(PackedBert(model), features)[0], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("masked", [True, False])
def test_where_nothing_is_padding_all_tokens_are_read(masked):
    model, ids = model_of("BertModel"), batch()["input_ids"]
    features = {"input_ids": ids} | ({"attention_mask": torch.ones_like(ids)} if masked else {})
    expected = states_of(model, features)
    torch.testing.assert_close(states_of(PackedBert(model), features), expected, atol=1e-5, rtol=1e-5)


def test_the_layers_are_taken_out_of_the_model_so_that_memory_holds_them_once():
    model = model_of("BertModel")
    packed = PackedBert(model)
    assert len(model.encoder.layer) == 0
    assert len(packed._layers) == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda model: setattr(model.config, "is_decoder", True),
        lambda model: setattr(model.config, "hidden_act", "gelu_new"),
        lambda model: setattr(model.config, "position_embedding_type", "relative_key"),
        lambda model: model.bfloat16(),
        lambda model: setattr(model, "__class__", type("Other", (type(model),), {})),
    ],
    ids=["decoder", "another activation", "relative positions", "bfloat16", "another class"],
)
def test_what_it_does_not_compute_is_left_to_transformers(change):
    model = model_of("BertModel")
    assert PackedBert.can_run(copy.copy(model))
    change(model)
    assert not PackedBert.can_run(model)


def test_nothing_but_a_model_is_refused():
    assert not PackedBert.can_run(None)

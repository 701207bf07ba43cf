"""What a GPU runs, run on a CPU: the same vectors as transformers gives text by text, whatever the batch."""

from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


from workbench.encoders.fast import cuda, packed_decoder  # noqa: E402
from workbench.encoders.fast.batching import TokenRows  # noqa: E402
from workbench.encoders.fast.cuda import BUCKETS, GraphedQuery, OverlappedEncoding, one_ahead  # noqa: E402
from workbench.encoders.fast.last_token import SHORTEST_PREFIX, PaddedDecoder  # noqa: E402
from workbench.encoders.fast.operations import attend, attend_from_last  # noqa: E402
from workbench.encoders.fast.packed_decoder import CudaDecoder, decoder_for  # noqa: E402
from workbench.encoders.qwen3 import QWEN3_MODELS, Qwen3Encoder  # noqa: E402
from workbench.examples import EXAMPLE_JDS  # noqa: E402

pytestmark = pytest.mark.models

VOCABULARY = 151_669
LENGTHS = (1, 2, 3, 5, 5, 5, 8, 13, 13, 30, 60, 61)


@pytest.fixture(scope="module")
def model(qwen3_checkpoint):
    from transformers import AutoModel

    return AutoModel.from_pretrained(qwen3_checkpoint, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def decoder(model):
    return CudaDecoder(model)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    return [rng.integers(0, VOCABULARY, length).tolist() for length in LENGTHS]


@pytest.fixture(scope="module")
def expected(model, rows):
    """The last hidden state of each row, by transformers, alone in its batch."""
    return alone(model, rows)


def alone(model, rows):
    with torch.inference_mode():
        states = [model(input_ids=torch.tensor([row])).last_hidden_state[0, -1] for row in rows]
    return torch.stack(states).numpy()


def together(encoding, texts):
    """All states in the order of `texts`, which are numbers of rows as strings."""
    found = [None] * len(texts)
    for positions, states in encoding(texts):
        for position, state in zip(positions, states, strict=True):
            assert found[position] is None
            found[position] = state
    return np.stack(found)


def assert_near(ours, theirs):
    # States have length about 8 and come from float32 sums in another order.
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


class TestWithoutPadding:
    def test_the_test_model_tells_rows_apart(self, expected):
        # Else the comparisons below could not fail.
        unit = expected / np.linalg.norm(expected, axis=1, keepdims=True)
        assert np.median((unit @ unit.T)[np.triu_indices(len(unit), 1)]) < 0.9

    def test_a_text_gets_the_state_that_it_gets_alone(self, decoder, rows, expected):
        tokens = TokenRows.from_lists(rows)
        assert_near(decoder.last_states(tokens, np.arange(len(rows))), expected)

    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(selection=st.lists(st.integers(0, len(LENGTHS) - 1), min_size=1, max_size=12))
    def test_in_any_selection_and_order(self, decoder, rows, expected, selection):
        states = decoder.last_states(TokenRows.from_lists(rows), np.array(selection))
        assert_near(states, expected[selection])

    def test_after_a_prefix_that_is_computed_once(self, model, decoder, rows):
        first = list(range(100, 100 + SHORTEST_PREFIX))
        prefix = decoder.compute_prefix(np.array(first))
        states = decoder.last_states(TokenRows.from_lists(rows), np.arange(len(rows)), prefix)
        assert_near(states, alone(model, [first + row for row in rows]))

    def test_the_prefix_is_the_one_of_transformers(self, model, decoder):
        from transformers import DynamicCache

        ids = np.arange(100, 112)
        cache = DynamicCache(config=model.config)
        with torch.inference_mode():
            model(input_ids=torch.from_numpy(ids)[None], past_key_values=cache, use_cache=True)
        for (keys, values), layer in zip(decoder.compute_prefix(ids).layers, cache.layers, strict=True):
            torch.testing.assert_close(keys, layer.keys, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(values, layer.values, atol=1e-5, rtol=1e-5)

    def test_in_bfloat16_it_is_as_near_to_float32_as_transformers_is(self, qwen3_checkpoint, rows, expected):
        from transformers import AutoModel

        half = AutoModel.from_pretrained(qwen3_checkpoint, dtype=torch.bfloat16).eval()
        ours = CudaDecoder(half).last_states(TokenRows.from_lists(rows), np.arange(len(rows)))
        with torch.inference_mode():
            theirs = np.stack(
                [half(input_ids=torch.tensor([row])).last_hidden_state[0, -1].float() for row in rows]
            )
        assert np.abs(ours - expected).mean() < 1.5 * np.abs(theirs - expected).mean()

    def test_models_that_it_does_not_know_are_left_to_others(self, model):
        assert CudaDecoder.knows(model)
        assert not CudaDecoder.can_run(model)  # this one is on the CPU
        assert not CudaDecoder.knows(torch.nn.Linear(1, 1))


class TestChoice:
    @pytest.fixture(autouse=True)
    def as_on_gpu(self, monkeypatch):
        monkeypatch.setattr(CudaDecoder, "can_run", CudaDecoder.knows)

    def test_what_agrees_with_transformers_is_taken(self, model):
        assert isinstance(decoder_for(model), CudaDecoder)

    @pytest.mark.parametrize(
        ("part", "mistake"),
        [
            ("_rotated", lambda heads, cos, sin: heads),
            ("_rotated", lambda heads, cos, sin: heads * 0),
            ("attend", lambda *arguments, causal, prefix=None: attend(*arguments, causal=False)),
            ("attend_from_last", lambda q, k, v, runs, prefix=None: attend_from_last(q, k, v, runs)),
        ],
        ids=["not rotated", "no keys", "not causal", "no prefix"],
    )
    def test_what_does_not_is_left_with_a_warning(self, model, monkeypatch, part, mistake):
        monkeypatch.setattr(packed_decoder, part, mistake)
        with pytest.warns(UserWarning, match="gives other vectors than transformers"):
            assert isinstance(decoder_for(model), PaddedDecoder)

    def test_nor_is_what_a_device_cannot_run(self, model, monkeypatch):
        def fails(*arguments, **options):
            raise RuntimeError("no kernel image is available for execution on the device")

        monkeypatch.setattr(CudaDecoder, "run", fails)
        with pytest.warns(UserWarning, match="transformers runs it"):
            assert isinstance(decoder_for(model), PaddedDecoder)

    def test_states_that_are_not_finite_do_not_agree(self):
        ones = np.ones((2, 3), dtype=np.float32)
        assert not packed_decoder.lowest_cosine(ones * np.nan, ones) >= 0.99
        assert not packed_decoder.lowest_cosine(ones * 0, ones) >= 0.99


class TestSingleQuery:
    @pytest.mark.parametrize("length", [1, 15, 16, 17, 32, 33, BUCKETS[-1]])
    def test_filling_up_to_a_bucket_changes_nothing(self, model, decoder, length):
        row = np.random.default_rng(length).integers(0, VOCABULARY, length)
        assert_near(GraphedQuery(decoder)(row), alone(model, [row.tolist()]))

    def test_nothing_is_left_of_the_query_before(self, decoder):
        graphed = GraphedQuery(decoder)
        rng = np.random.default_rng(1)
        long, short = rng.integers(0, VOCABULARY, 30), rng.integers(0, VOCABULARY, 20)
        first = graphed(short)
        other = graphed(long)
        np.testing.assert_array_equal(graphed(short), first)
        assert not np.allclose(first, other)

    @pytest.mark.parametrize("captured", ["fails", "does nothing"])
    def test_without_a_graph_that_works_there_is_a_warning_once_and_the_slower_way(
        self, decoder, rows, expected, monkeypatch, captured
    ):
        def no_graph(compute, device):
            if captured == "fails":
                raise RuntimeError("operation not permitted when stream is capturing")
            return lambda: None

        monkeypatch.setattr(cuda, "_captured", no_graph)
        encoding = OverlappedEncoding(decoder, 40)
        for warns in (True, False):
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                batches = list(encoding.batches(["9"], lambda texts: TokenRows.from_lists([rows[9]])))
            assert_near(batches[0][1], expected[9:10])
            assert bool(said) is warns

    def test_longer_texts_have_no_bucket(self, decoder):
        assert GraphedQuery(decoder).fits(BUCKETS[-1])
        assert not GraphedQuery(decoder).fits(BUCKETS[-1] + 1)

    def test_threads_that_ask_at_once_get_their_own_answers(self, decoder, rows, expected):
        graphed, found = GraphedQuery(decoder), {}
        threads = [
            threading.Thread(target=lambda at=at: found.update({at: graphed(np.array(rows[at]))}))
            for at in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert_near(np.concatenate([found[at] for at in range(8)]), expected[:8])


class TestOverlap:
    def overlapped(self, decoder, rows, *, before=(), **options):
        encoding = OverlappedEncoding(decoder, 40, **options)

        def tokenise(texts):
            return TokenRows.from_lists([[*before, *rows[int(text)]] for text in texts])

        return lambda texts: encoding.batches(texts, tokenise)

    @pytest.mark.parametrize("window", [1, 5, 1000])
    def test_every_text_comes_once_with_its_own_state(self, decoder, rows, expected, window):
        texts = [str(number) for number in range(len(rows))]
        assert_near(together(self.overlapped(decoder, rows, window=window), texts), expected)

    def test_a_shared_prefix_is_left_to_the_windows(self, model, decoder, rows):
        first = list(range(100, 100 + SHORTEST_PREFIX + 3))
        texts = [str(number) for number in range(len(rows))]
        states = together(self.overlapped(decoder, rows, before=first, window=7), texts)
        assert_near(states, alone(model, [first + row for row in rows]))

    def test_a_single_text_has_the_same_state_with_a_graph_and_without(self, decoder, rows, expected):
        for graphs in (True, False):
            assert_near(together(self.overlapped(decoder, rows, graphs=graphs), ["9"]), expected[9:10])

    def test_no_text_is_no_batch(self, decoder, rows):
        assert list(self.overlapped(decoder, rows)([])) == []

    def test_where_memory_runs_out_halves_are_encoded(self, decoder, rows, expected, monkeypatch):
        launch, sizes = decoder.launch, []

        def cramped(tokens, positions, prefix=None):
            sizes.append(len(positions))
            if len(positions) > 2:
                raise torch.OutOfMemoryError
            return launch(tokens, positions, prefix)

        monkeypatch.setattr(decoder, "launch", cramped)
        texts = [str(number) for number in range(len(rows))]
        assert_near(together(self.overlapped(decoder, rows), texts), expected)
        assert max(sizes) > 2


class TestOneAhead:
    def test_the_next_is_being_made_while_one_is_used(self):
        started = [threading.Event() for _ in range(3)]

        def make(key):
            started[key].set()
            return key

        made = one_ahead(make, range(3))
        assert next(made) == 0
        assert started[1].wait(10)
        assert not started[2].is_set()
        assert list(made) == [1, 2]

    def test_an_error_reaches_the_one_who_asked(self):
        with pytest.raises(ZeroDivisionError):
            list(one_ahead(lambda key: 1 / key, [1, 0]))

    def test_stopping_early_leaves_no_thread(self):
        made = one_ahead(lambda key: key, range(1000))
        next(made)
        made.close()
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("one-ahead")]


@pytest.fixture(scope="module")
def encoders(qwen3_checkpoint):
    """The encoder as it is on a GPU, and on a CPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CudaDecoder, "can_run", CudaDecoder.knows)
        as_on_gpu = Qwen3Encoder(qwen3_checkpoint, device="cpu", dimension=48, token_budget=200)
        assert as_on_gpu._overlapped is not None
    on_cpu = Qwen3Encoder(qwen3_checkpoint, device="cpu", dimension=48)
    assert on_cpu._overlapped is None
    return as_on_gpu, on_cpu


class TestInTheEncoder:
    @pytest.mark.slow
    @pytest.mark.parametrize("role", ["encode_documents", "encode_queries"])
    def test_vectors_are_those_of_the_cpu(self, encoders, role):
        texts = [*EXAMPLE_JDS, "C++", ": 冒号", "://", "Java 后端 " * 40]
        ours, theirs = (getattr(encoder, role)(texts) for encoder in encoders)
        assert (ours * theirs).sum(axis=1).min() >= 0.99999
        one = getattr(encoders[0], role)(texts[:1])
        assert (one[0] * theirs[0]).sum() >= 0.99999


class TestTrueShape:
    """Tensors with shapes and no values, on a device that is not the CPU."""

    @pytest.fixture
    def model_4b(self):
        from transformers import Qwen3Config, Qwen3Model

        config = Qwen3Config(
            vocab_size=151_665,
            hidden_size=2560,
            num_hidden_layers=36,
            num_attention_heads=32,
            num_key_value_heads=8,
            head_dim=128,
            intermediate_size=9728,
        )
        with torch.device("meta"):
            return Qwen3Model(config).to(torch.bfloat16)

    def test_it_is_the_shape_of_the_published_checkpoint(self, model_4b):
        n_parameters = sum(weight.numel() for weight in model_4b.parameters())
        assert n_parameters == QWEN3_MODELS["qwen3-4b"].parameters

    @pytest.mark.parametrize("with_prefix", [False, True])
    def test_states_stay_on_the_device_in_the_format_of_the_model(self, model_4b, with_prefix):
        decoder = CudaDecoder(model_4b)
        prefix = decoder.compute_prefix(np.arange(20)) if with_prefix else None
        tokens = TokenRows.from_lists([[1] * 30] * 5 + [[1] * 7] * 3)
        states = decoder.launch(tokens, np.arange(8), prefix)
        assert states.shape == (8, 2560)
        assert states.device.type == "meta"
        assert states.dtype == torch.bfloat16

    def test_it_would_be_run_on_a_gpu(self, model_4b, monkeypatch):
        assert not CudaDecoder.can_run(model_4b)
        monkeypatch.setattr(type(model_4b), "device", torch.device("cuda:0"))
        assert CudaDecoder.can_run(model_4b)

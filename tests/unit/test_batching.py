"""Batches by token budget, packed token ids, a batch that does not fit, and batches side by side."""

from __future__ import annotations

import os.path
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.encoders.fast.batching import (
    SMALLEST_SHARE,
    TokenRows,
    encode_in_halves,
    encode_side_by_side,
    token_batches,
)
from workbench.errors import EncoderError, InputError

lengths = st.lists(st.integers(1, 300), max_size=200)
budgets = st.integers(1, 2000)
rows_of_ids = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=12), min_size=1, max_size=30)


@given(lengths, budgets)
def test_each_position_comes_exactly_once(lengths, budget):
    positions = [position for batch in token_batches(lengths, budget) for position in batch.tolist()]
    assert sorted(positions) == list(range(len(lengths)))


@given(lengths, budgets)
def test_padded_size_stays_within_the_budget_unless_one_text_exceeds_it(lengths, budget):
    for batch in token_batches(lengths, budget):
        size = len(batch) * max(lengths[position] for position in batch)
        assert size <= budget or len(batch) == 1


@given(lengths, budgets)
def test_no_batch_could_take_the_next_text_too(lengths, budget):
    batches = list(token_batches(lengths, budget))
    for batch in batches[:-1]:
        assert (len(batch) + 1) * max(lengths[position] for position in batch) > budget


@given(lengths, budgets)
def test_texts_come_longest_first_with_ties_in_input_order(lengths, budget):
    positions = [position for batch in token_batches(lengths, budget) for position in batch.tolist()]
    assert positions == sorted(range(len(lengths)), key=lambda position: -lengths[position])


@pytest.mark.parametrize("budget", [0, -5, True, 10.5])
def test_a_budget_that_is_no_positive_whole_number_is_refused(budget):
    with pytest.raises(InputError, match="token_budget"):
        list(token_batches([3], budget))


@pytest.mark.models
def test_sorting_by_tokens_wastes_little_padding_where_sorting_by_characters_wastes_much(qwen3_checkpoint):
    from tokenizers import Tokenizer

    texts = _mixed_texts(600)
    tokenizer = Tokenizer.from_file(str(qwen3_checkpoint / "tokenizer.json"))
    counts = np.array([len(encoding.ids) for encoding in tokenizer.encode_batch(texts)])

    def waste(batches) -> float:
        return sum(len(batch) * counts[batch].max() for batch in batches) / counts.sum() - 1

    # As sentence-transformers makes them: sorted by characters, 32 at a time.
    by_characters = np.argsort([-len(text) for text in texts])
    assert waste(token_batches(counts, 1024)) < 0.08
    assert waste(np.array_split(by_characters, range(32, len(texts), 32))) > 0.4


def _mixed_texts(n: int) -> list[str]:
    from workbench.examples import EXAMPLE_JDS

    english = (
        "Designed and ran data pipelines for a retail bank, cutting the nightly batch from six hours to one. "
        "Led a team of four engineers, hired two of them, and introduced code review and on-call rotation. "
        "Comfortable with Kubernetes, PostgreSQL and Python; learning Rust."
    )
    chinese = "".join(EXAMPLE_JDS)
    rng = np.random.default_rng(0)
    return [
        (chinese if i % 2 else english)[start : start + size]
        for i, (start, size) in enumerate(zip(rng.integers(0, 100, n), rng.integers(8, 160, n), strict=True))
    ]


@given(rows_of_ids)
def test_packed_rows_come_back_as_they_were(rows):
    packed = TokenRows.from_lists(rows)
    assert [packed[i].tolist() for i in range(len(packed))] == rows


@given(rows_of_ids, rows_of_ids)
def test_joined_parts_are_the_rows_of_both(first, second):
    joined = TokenRows.concatenate([TokenRows.from_lists(first), TokenRows.from_lists(second)])
    assert [joined[i].tolist() for i in range(len(joined))] == first + second


@pytest.mark.models
@given(rows_of_ids)
def test_padding_is_that_of_torch(rows):
    from torch import tensor
    from torch.nn.utils.rnn import pad_sequence

    padded = TokenRows.from_lists(rows).padded(np.arange(len(rows)), pad_id=99)
    expected = pad_sequence([tensor(row) for row in rows], batch_first=True, padding_value=99)
    assert padded.tolist() == expected.tolist()


@given(rows_of_ids, st.data())
def test_chosen_rows_are_joined_one_after_another_each_counted_from_its_start(rows, data):
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1))
    ids, places = TokenRows.from_lists(rows).joined(np.array(chosen))
    assert ids.tolist() == [token for row in chosen for token in rows[row]]
    assert places.tolist() == [place for row in chosen for place in range(len(rows[row]))]


@given(rows_of_ids, st.lists(st.integers(0, 5), max_size=6))
def test_the_shared_prefix_is_the_longest_that_leaves_each_row_a_token(rows, prefix):
    rows = [prefix + row for row in rows]
    # commonprefix works on any sequences, whatever its name says.
    common = os.path.commonprefix(rows)  # noqa: RUF071
    expected = min(len(common), min(map(len, rows)) - 1)
    assert TokenRows.from_lists(rows).shared_prefix_length() == expected


@given(rows_of_ids)
def test_rows_without_their_prefix_are_the_rest(rows):
    rows = [[7, 8, *row] for row in rows]
    rest = TokenRows.from_lists(rows).without_first(2)
    assert [rest[i].tolist() for i in range(len(rest))] == [row[2:] for row in rows]


def _model_with_room_for(rows: int):
    torch = pytest.importorskip("torch")

    def encode(positions):
        if len(positions) > rows:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return np.stack([positions, positions], axis=1).astype(np.float32)

    return encode


@pytest.mark.models
@pytest.mark.parametrize("room", [1, 2, 3, 100])
def test_a_batch_that_does_not_fit_is_encoded_in_halves(room):
    batches = list(encode_in_halves(_model_with_room_for(room), np.arange(10)))
    positions = np.concatenate([positions for positions, _ in batches])
    vectors = np.concatenate([vectors for _, vectors in batches])
    assert positions.tolist() == list(range(10))
    assert vectors[:, 0].tolist() == list(range(10))


@pytest.mark.models
def test_a_single_text_that_does_not_fit_is_an_error_that_says_what_to_do():
    with pytest.raises(EncoderError, match=r"text 4 alone.*in nf4"):
        list(encode_in_halves(_model_with_room_for(0), np.array([4])))


def doubled(positions):
    return np.stack([positions, 2 * positions], axis=1).astype(np.float32)


def running() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("encode")]


@pytest.fixture(scope="module")
def three_threads():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.models
@pytest.mark.usefixtures("three_threads")
class TestSideBySide:
    """All texts once, one core each, and nothing left behind."""

    @settings(max_examples=25)
    @given(st.lists(st.integers(1, 60), max_size=120), st.integers(1, 400))
    def test_each_text_is_encoded_once_and_keeps_its_vector(self, lengths, budget):
        batches = list(encode_side_by_side(doubled, np.array(lengths, dtype=np.int64), budget))
        positions = np.concatenate([np.empty(0, dtype=np.intp), *(positions for positions, _ in batches)])
        assert sorted(positions.tolist()) == list(range(len(lengths)))
        for positions, vectors in batches:
            np.testing.assert_array_equal(vectors, doubled(positions))
            assert len(positions) == 1 or len(positions) * max(lengths[p] for p in positions) <= budget

    def test_each_batch_has_one_thread_of_its_own(self):
        torch = pytest.importorskip("torch")
        seen, meeting = set(), threading.Barrier(3, timeout=30)

        def encode(positions):
            # Passes only if three batches run at the same time.
            meeting.wait()
            seen.add((threading.current_thread().name, torch.get_num_threads()))
            return doubled(positions)

        assert len(list(encode_side_by_side(encode, np.full(3, 500), 500))) == 3
        assert len(seen) == 3
        assert {threads for _, threads in seen} == {1}

    def test_a_budget_that_would_hold_all_is_shared_among_the_threads(self):
        batches = list(encode_side_by_side(doubled, np.full(30, 100), 100_000))
        assert [len(positions) for positions, _ in batches] == [10, 10, 10]

    def test_a_few_tokens_are_one_batch_with_all_threads(self):
        torch = pytest.importorskip("torch")

        def encode(positions):
            assert threading.current_thread() is threading.main_thread()
            assert torch.get_num_threads() == 3
            return doubled(positions)

        assert len(list(encode_side_by_side(encode, np.full(4, SMALLEST_SHARE // 4), 1024))) == 1

    def test_torch_and_later_threads_have_as_many_threads_as_before(self):
        torch = pytest.importorskip("torch")
        list(encode_side_by_side(doubled, np.full(30, 100), 300))
        later = []
        thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert [torch.get_num_threads(), *later] == [3, 3]

    def test_who_stops_early_leaves_no_thread_running(self):
        batches = encode_side_by_side(doubled, np.full(300, 100), 300)
        next(batches)
        batches.close()
        assert running() == []

    def test_an_error_in_a_batch_reaches_the_caller(self):
        def encode(positions):
            raise ValueError("no such token")

        with pytest.raises(ValueError, match="no such token"):
            list(encode_side_by_side(encode, np.full(30, 100), 300))
        assert running() == []

"""Batches in threads side by side: all texts once, one core each, and nothing left behind."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from workbench.encoders.side_by_side import SMALLEST_SHARE, encode_side_by_side  # noqa: E402

pytestmark = pytest.mark.models


@pytest.fixture(scope="module", autouse=True)
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def doubled(positions):
    return np.stack([positions, 2 * positions], axis=1).astype(np.float32)


def running() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("encode")]


@settings(max_examples=25)
@given(st.lists(st.integers(1, 60), max_size=120), st.integers(1, 400))
def test_each_text_is_encoded_once_and_keeps_its_vector(lengths, budget):
    batches = list(encode_side_by_side(doubled, np.array(lengths, dtype=np.int64), budget))
    positions = np.concatenate([np.empty(0, dtype=np.intp), *(positions for positions, _ in batches)])
    assert sorted(positions.tolist()) == list(range(len(lengths)))
    for positions, vectors in batches:
        np.testing.assert_array_equal(vectors, doubled(positions))
        assert len(positions) == 1 or len(positions) * max(lengths[p] for p in positions) <= budget


def test_each_batch_has_one_thread_of_its_own():
    seen, meeting = set(), threading.Barrier(3, timeout=30)

    def encode(positions):
        # Passes only if three batches run at the same time.
        meeting.wait()
        seen.add((threading.current_thread().name, torch.get_num_threads()))
        return doubled(positions)

    assert len(list(encode_side_by_side(encode, np.full(3, 500), 500))) == 3
    assert len(seen) == 3
    assert {threads for _, threads in seen} == {1}


def test_a_budget_that_would_hold_all_is_shared_among_the_threads():
    batches = list(encode_side_by_side(doubled, np.full(30, 100), 100_000))
    assert [len(positions) for positions, _ in batches] == [10, 10, 10]


def test_a_few_tokens_are_one_batch_with_all_threads():
    def encode(positions):
        assert threading.current_thread() is threading.main_thread()
        assert torch.get_num_threads() == 3
        return doubled(positions)

    assert len(list(encode_side_by_side(encode, np.full(4, SMALLEST_SHARE // 4), 1024))) == 1


def test_torch_and_later_threads_have_as_many_threads_as_before():
    list(encode_side_by_side(doubled, np.full(30, 100), 300))
    later = []
    thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert [torch.get_num_threads(), *later] == [3, 3]


def test_who_stops_early_leaves_no_thread_running():
    batches = encode_side_by_side(doubled, np.full(300, 100), 300)
    next(batches)
    batches.close()
    assert running() == []


def test_an_error_in_a_batch_reaches_the_caller():
    def encode(positions):
        raise ValueError("no such token")

    with pytest.raises(ValueError, match="no such token"):
        list(encode_side_by_side(encode, np.full(30, 100), 300))
    assert running() == []

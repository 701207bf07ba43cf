"""Drift: told where texts come from elsewhere, and rarely where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.scorers.drift import LEAST, Texts, _spread, drift_from, seen_in

RNG = np.random.default_rng(0)
SCALES = np.linspace(1, 0.1, 40)


def texts(n, moved=0.0, language="zh", length=1000):
    """Vectors around a mean, more spread in some directions than in others."""
    vectors = 1 + moved + SCALES * RNG.standard_normal((n, len(SCALES)))
    return Texts(vectors.astype(np.float32), np.full(n, language), [length] * n)


def told(fit, new):
    return [found.what for found in drift_from(seen_in({"resume": fit}), {"resume": new})]


def test_the_spread_and_its_degrees_of_freedom_are_those_of_the_population():
    eigenvalues = SCALES**2
    found = np.array([_spread(rows - rows.mean(axis=0)) for rows in (texts(60).vectors for _ in range(200))])
    trace, freedom = eigenvalues.sum(), eigenvalues.sum() ** 2 / np.square(eigenvalues).sum()
    assert found[:, 0].mean() == pytest.approx(trace, rel=0.02)
    assert np.median(found[:, 1]) == pytest.approx(freedom, rel=0.05)


@pytest.mark.parametrize("n", [1, 5, 40, 1000])
def test_texts_of_the_same_kind_are_hardly_ever_said_to_differ(n):
    assert sum(bool(told(texts(40), texts(n))) for _ in range(200)) <= 3


def test_other_content_is_told_from_many_texts_and_from_few_where_it_is_far():
    assert told(texts(40), texts(30, moved=0.6)) == ["content"]
    assert told(texts(40), texts(2, moved=2.0)) == ["content"]


def test_a_distance_that_is_small_is_not_told_however_many_texts_show_it():
    moved = np.sqrt(0.5 * LEAST * np.square(SCALES).sum() / len(SCALES))
    fit, new = texts(20_000), texts(20_000, moved)
    assert not told(fit, new)
    assert told(fit, texts(20_000, 2 * moved)) == ["content"]


@pytest.mark.parametrize(
    ("length", "expected"), [(499, ["length"]), (501, []), (1999, []), (2001, ["length"])]
)
def test_lengths_twice_beyond_what_is_usual_are_told(length, expected):
    assert told(texts(40), texts(40, length=length)) == expected


def test_a_language_that_the_fit_hardly_had_is_told():
    few = texts(9, language="other")
    both = Texts(
        np.concatenate([texts(40).vectors, few.vectors]),
        np.array(["zh"] * 40 + ["other"] * 9),
        [1000] * 49,
    )
    (found,) = drift_from(seen_in({"jd": both}), {"jd": texts(3, language="other")})
    assert (found.what, found.n, found.usual) == ("unseen", 3, (9.0,))
    assert found.sentence() == "JDs, not Chinese (3): the scorer was fitted on 9 of these."
    assert told(both, texts(3, language="fr")) == ["unseen"]
    # The mean of a text or two would be nearly that text.
    assert {name for name in seen_in({"jd": both}) if "other" in name} == {"jd/other/spread"}

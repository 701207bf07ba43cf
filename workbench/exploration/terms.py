"""Distinguishing terms: which words tell one group of texts from the others, by class-based TF-IDF.

How texts are cut into words is in :mod:`~workbench.exploration.words`; what the groups are, the caller
knows: clusters, job families, or a part of the map that was picked by hand.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import InputError
from workbench.exploration.words import terms_of

__all__ = ["class_tf_idf", "distinguishing_terms", "name_of", "terms_of_selection"]

# A term that stands in one text only says something about that text, not about the group.
FEWEST_TEXTS = 2
# From this share of a word's texts on, a pair that the word stands in is what is meant: "Spring Boot".
WHOLE = 0.75


def class_tf_idf(counts: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Class-based TF-IDF of a table of counts.

    ``tf / sum(tf of the class) * log(1 + A / f)``, with ``f`` the count of the term in all classes and
    ``A`` the average number of terms in a class.

    Parameters
    ----------
    counts : array_like, shape (classes, terms)
        How often each term occurs in each class.

    Returns
    -------
    ndarray of float64, shape (classes, terms)
        A row of zeros for a class without terms.

    References
    ----------
    Grootendorst (2022), BERTopic: Neural topic modeling with a class-based TF-IDF procedure,
    https://arxiv.org/abs/2203.05794, section 3.3; term frequencies divided by the class total as in the
    reference implementation.

    Examples
    --------
    >>> class_tf_idf([[2, 0], [1, 1]]).round(4).tolist()
    [[0.5108, 0.0], [0.2554, 0.5493]]
    """
    table = np.asarray(counts, dtype=np.float64)
    totals = table.sum(axis=1, keepdims=True)
    everywhere = table.sum(axis=0)
    rarity = np.log1p(table.sum() / len(table) / np.where(everywhere > 0, everywhere, np.inf))
    weights: npt.NDArray[np.float64] = table / np.where(totals > 0, totals, 1) * rarity
    return weights


def distinguishing_terms(
    texts: Sequence[str],
    groups: Sequence[Hashable] | npt.NDArray[Any],
    *,
    n_terms: int = 5,
    noise: Hashable = -1,
) -> pd.DataFrame:
    """The terms that tell each group from the others, best first.

    A term is a word or two neighbouring words, whatever its case. Of terms that share a word, one is
    kept: the pair where it is (nearly) all that the word occurs in, else the one that weighs more. Terms
    in one text of a group only are passed over, unless the group has no others.

    Parameters
    ----------
    texts : sequence of str
    groups : sequence
        The group of each text.
    n_terms : int
        For each group.
    noise : hashable
        The group that gets no terms of its own, but counts as the rest of the texts.

    Returns
    -------
    DataFrame
        Columns ``group``, ``term``, ``weight`` (class-based TF-IDF), ``n_texts`` (of the group, with the
        term), ``share`` of the group's texts with the term and ``share_elsewhere``.

    Raises
    ------
    InputError
        If there is not one group for each text.

    Examples
    --------
    >>> texts = ["Java services", "Java on the JVM", "ward nurse", "night nurse"]
    >>> distinguishing_terms(texts, [0, 0, 1, 1], n_terms=1)[["group", "term", "share"]]
       group   term  share
    0      0   Java    1.0
    1      1  nurse    1.0
    """
    if len(texts) != len(groups):
        raise InputError(
            f"There are {len(texts):,} texts, but {len(groups):,} groups; give one for each text."
        )
    return _best([terms_of(text) for text in texts], list(groups), n_terms, noise)


def terms_of_selection(
    texts: Sequence[str],
    selected: npt.ArrayLike,
    groups: Sequence[Hashable] | npt.NDArray[Any] | None = None,
    *,
    n_terms: int = 10,
) -> pd.DataFrame:
    """The terms that tell some texts from all others, as :func:`distinguishing_terms`.

    Parameters
    ----------
    texts : sequence of str
    selected : array_like of bool, shape (n,), or of int
        Which texts: a mask, or row numbers.
    groups : sequence, optional
        Groups of all texts, such as clusters. The rest of each is then a class of its own, so that a
        term that one other group has in plenty is not taken for rare.
    """
    chosen = np.asarray(selected)
    mask = np.zeros(len(texts), dtype=bool)
    mask[chosen if chosen.dtype == bool else chosen.astype(np.intp)] = True
    if not mask.any():
        raise InputError("No text is selected; select at least one.")
    rest = ["the rest"] * len(texts) if groups is None else [("rest of", group) for group in groups]
    classes: list[Hashable] = [
        _SELECTED if chosen else other for chosen, other in zip(mask, rest, strict=True)
    ]
    table = _best([terms_of(text) for text in texts], classes, n_terms, "the rest", only=_SELECTED)
    return table.drop(columns="group")


def name_of(terms: Sequence[str], language_free: str, most: int = 3) -> str:
    """A short name of a group: its best terms, or (where it has none) `language_free`."""
    return " · ".join(terms[:most]) or language_free


_SELECTED = ("selected",)


def _best(
    terms: list[list[str]],
    classes: list[Hashable],
    n_terms: int,
    noise: Hashable,
    only: Hashable | None = None,
) -> pd.DataFrame:
    found = _Counted(terms, classes)
    rows = []
    for name in sorted(found.sizes, key=lambda name: (str(type(name)), name)):
        if name == noise or (only is not None and name != only):
            continue
        weights, texts_with = found.weights(name), found.texts_with[name]
        for term in _choose(weights, texts_with, n_terms):
            rest = len(terms) - found.sizes[name]
            elsewhere = found.texts_everywhere[term] - texts_with[term]
            rows.append(
                {
                    "group": name,
                    "term": found.written(term),
                    "weight": weights[term],
                    "n_texts": texts_with[term],
                    "share": texts_with[term] / found.sizes[name],
                    "share_elsewhere": elsewhere / rest if rest else 0.0,
                }
            )
    return pd.DataFrame(rows, columns=["group", "term", "weight", "n_texts", "share", "share_elsewhere"])


class _Counted:
    """Terms counted in each class and in all, in lower case."""

    def __init__(self, terms: list[list[str]], classes: list[Hashable]) -> None:
        self.sizes = Counter(classes)
        self.counts: dict[Hashable, Counter[str]] = {name: Counter() for name in self.sizes}
        self.texts_with: dict[Hashable, Counter[str]] = {name: Counter() for name in self.sizes}
        self._as_written: dict[str, Counter[str]] = defaultdict(Counter)
        for found, name in zip(terms, classes, strict=True):
            plain = [term.casefold() for term in found]
            self.counts[name].update(plain)
            self.texts_with[name].update(set(plain))
            for term, written in zip(plain, found, strict=True):
                self._as_written[term][written] += 1
        self.everywhere: Counter[str] = Counter()
        self.texts_everywhere: Counter[str] = Counter()
        for name in self.sizes:
            self.everywhere.update(self.counts[name])
            self.texts_everywhere.update(self.texts_with[name])

    def weights(self, name: Hashable) -> dict[str, float]:
        """The same weights as class_tf_idf's, without a table of all classes by all terms."""
        own, average = self.counts[name], self.everywhere.total() / len(self.sizes)
        total = max(own.total(), 1)
        return {term: float(n / total * np.log1p(average / self.everywhere[term])) for term, n in own.items()}

    def written(self, term: str) -> str:
        """A term as it is written most often."""
        return min(self._as_written[term].items(), key=lambda item: (-item[1], item[0]))[0]


def _choose(weights: Mapping[str, float], texts_with: Mapping[str, int], n_terms: int) -> list[str]:
    common = {term for term in weights if texts_with[term] >= FEWEST_TEXTS} or set(weights)
    # Ties in the order of the alphabet, so that names do not depend on the order of texts.
    ranked = sorted(common, key=lambda term: (-weights[term], term))
    chosen: list[str] = []
    for term in ranked:
        if len(chosen) == n_terms:
            break
        longer = (
            pair
            for pair in ranked
            if pair != term and _overlap(term, pair) and len(pair) > len(term)
            if texts_with[pair] >= WHOLE * texts_with[term]
        )
        best = next(longer, term)
        if not any(_overlap(best, other) for other in chosen):
            chosen.append(best)
    return chosen


def _overlap(term: str, other: str) -> bool:
    """Whether two terms share a word; Chinese pairs are written without a space."""
    if set(term.split()) & set(other.split()):
        return True
    return not (term + other).isascii() and (term in other or other in term)

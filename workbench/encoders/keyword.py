"""``keyword``: hashed character n-grams with TF-IDF, the baseline that semantic search must beat.

It stands for the keyword filter of an applicant tracking system (ATS): texts score by the strings
that they share, whatever these mean.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from workbench.encoders.base import BaseEncoder, Batch, Role, check_texts
from workbench.errors import InputError
from workbench.i18n import gettext as _

DIMENSION = 4096
NGRAMS = (2, 4)
BATCH_SIZE = 1024

_HAN = "\u3400-\u9fff"
# "C++", "C#" and ".NET" are words; other marks part words, as does a change of script, as between "AI" and a
# Chinese character.
_BETWEEN_WORDS = re.compile(rf"[^\w+#.]+|\.(?!\w)|(?<=[{_HAN}])(?=[^{_HAN}\s])|(?<=[^{_HAN}\s])(?=[{_HAN}])")


class KeywordEncoder(BaseEncoder):
    """Character n-grams of 2 to 4 inside words, hashed to a fixed dimension, TF-IDF, unit length.

    In Chinese, where nothing parts the words, n-grams of 2 to 4 characters are about the words; in
    English they also let "develop" meet "developer". Case and full-width forms do not count. Scores
    lie between 0 (no string in common) and 1.

    Parameters
    ----------
    background : sequence of str, optional
        Texts in which it is counted how common an n-gram is, such as all JDs of a knowledge base. By
        default 60 everyday sentences of job adverts and the example JDs that come with the workbench.
    dimension : int
        Buckets. Different n-grams may fall into one bucket; with 4,096, unrelated texts of one line
        score 0.02 to 0.03 higher for it.

    Notes
    -----
    Counts are dampened (1 + log), weighted by the smoothed inverse document frequency of scikit-learn's
    ``TfidfTransformer``, and hashed without signs, so that no text can cancel itself out.

    Examples
    --------
    >>> encoder = KeywordEncoder()
    >>> jd, same_words, same_meaning = encoder.encode_documents(
    ...     ["knows Spring Boot microservices", "Spring Boot microservices, 3 years", "Java back ends"]
    ... )
    >>> bool(jd @ same_words > 0.5), bool(jd @ same_meaning < 0.1)
    (True, True)
    """

    # A stored vector takes 16 kB of disk to save less than 0.1 ms of counting.
    worth_storing = False

    def __init__(self, *, background: Sequence[str] | None = None, dimension: int = DIMENSION) -> None:
        if dimension < 1:
            raise InputError(
                _("{name} is {value}; it must be at least 1.").format(name="dimension", value=dimension)
            )
        if background is None:
            from workbench.examples import BACKGROUND, EXAMPLE_JDS

            background = BACKGROUND + EXAMPLE_JDS
        check_texts(background)
        if not len(background):
            raise InputError(_("background is empty; pass texts to count n-grams in, or leave it out."))
        self._background = tuple(background)
        self._dimension = dimension

    @property
    def name(self) -> str:
        return "keyword"

    @property
    def dimension(self) -> int:
        return self._dimension

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        counted = "\n".join(sorted(self._background)).encode()
        return {
            "encoder": "keyword",
            "revision": 1,
            "ngrams": list(NGRAMS),
            "background": hashlib.sha256(counted).hexdigest()[:12],
            "dimension": self.dimension,
            "precision": "float32",
            "instruction": None,
        }

    @cached_property
    def _vectorizer(self) -> Any:
        from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
        from sklearn.pipeline import make_pipeline

        counts = HashingVectorizer(
            analyzer="char_wb",
            ngram_range=NGRAMS,
            n_features=self.dimension,
            alternate_sign=False,
            norm=None,
            preprocessor=_words,
            dtype=np.float32,
        )
        return make_pipeline(counts, TfidfTransformer(sublinear_tf=True)).fit(self._background)

    def encode_batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        for start in range(0, len(texts), BATCH_SIZE):
            batch = texts[start : start + BATCH_SIZE]
            positions = np.arange(start, start + len(batch))
            yield positions, self._vectorizer.transform(batch).toarray()


def _words(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    # A text of nothing but marks, such as "!!!", is compared by its marks.
    return _BETWEEN_WORDS.sub(" ", folded).strip() or folded

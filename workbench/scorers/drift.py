"""Do texts look like those that a scorer was fitted on? If not, its cutoff may not hold for them.

What is kept of a side in each language is its mean vector, how its vectors vary, and how long its texts are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.i18n import N_, number, percent
from workbench.i18n import gettext as _
from workbench.results import Result

if TYPE_CHECKING:
    from workbench.documents.splitting import Side

State = Mapping[str, npt.NDArray[Any]]

# Texts of a language that say what is usual in it.
FEWEST = 10
# Chance of a false alarm, of all means of a call together, were vectors normal. Texts have longer tails: of
# those of the demonstration up to 2 in a hundred calls gave one (docs/simulations/drift.md).
ALPHA = 0.001
# A mean that is off by less of what single texts vary is no drift, though many texts may show it.
LEAST = 0.05
# So many times shorter than nearly all, or longer: cutoffs do not carry over between lengths.
FACTOR = 2
USUAL = (0.05, 0.95)

SIDES = {"jd": N_("JDs"), "resume": N_("résumés")}
LANGUAGES = {"zh": N_("Chinese"), "other": N_("not Chinese")}


@dataclass(frozen=True, eq=False)
class Texts:
    """A side's texts: unit vectors, shape (n, dimension), their languages, and their lengths."""

    vectors: npt.NDArray[np.float32]
    languages: npt.NDArray[np.str_]
    lengths: Sequence[int]


@dataclass(frozen=True)
class Drift(Result):
    """One way in which texts differ from those of the fit.

    Attributes
    ----------
    side : {"jd", "resume"}
    language : str
    what : {"unseen", "length", "content"}
    n : int
        Texts of this side and language.
    now : float
        Their median length, or the distance of their mean as a share of what single texts vary.
    usual : tuple of float
        For "unseen" how many texts the fit had of it; for "length" between what nearly all of them had.
    p_value : float
        For "content", of so large a distance by chance; else NaN.
    """

    side: Side
    language: str
    what: Literal["unseen", "length", "content"]
    n: int
    now: float
    usual: tuple[float, ...]
    p_value: float = float("nan")

    def sentence(self) -> str:
        """What differs, and by how much."""
        said = {
            "unseen": _("{side}, {language} ({n}): the scorer was fitted on {usual} of these."),
            "length": _(
                "{side}, {language} ({n}): half have more than {now} characters; nearly all that the scorer "
                "was fitted on had {usual}."
            ),
            "content": _(
                "{side}, {language} ({n}): they are about other things than what the scorer was fitted on; "
                "their mean is off by {share} of what single ones vary, which is more than chance."
            ),
        }[self.what]
        return said.format(
            n=f"{self.n:,}",
            side=_(SIDES[self.side]),
            language=_(LANGUAGES.get(self.language, self.language)),
            now=number(self.now, 0),
            share=percent(self.now, 0),
            usual="–".join(number(end, 0) for end in self.usual),
        )


def seen_in(sides: Mapping[Side, Texts]) -> State:
    """What is kept of the texts of a fit, as arrays by side, language and kind."""
    state: dict[str, npt.NDArray[np.float32]] = {}
    for side, language, vectors, lengths in _groups(sides):
        found: dict[str, Any] = {"spread": [len(vectors), 0.0, 1.0]}
        # Of fewer, the mean would be nearly a text.
        if len(vectors) >= FEWEST:
            mean = vectors.mean(axis=0)
            found = {
                "mean": mean,
                "spread": [len(vectors), *_spread(vectors - mean)],
                "length": np.quantile(lengths, USUAL),
            }
        state |= {
            f"{side}/{language}/{kind}": np.asarray(values, dtype=np.float32)
            for kind, values in found.items()
        }
    return state


def drift_from(seen: State, sides: Mapping[Side, Texts]) -> tuple[Drift, ...]:
    """In what texts differ from those of a fit: a language that it hardly had, their length, else their mean.

    The distance of two means is tested as of samples of one population [1]_, whose spread is that of the fit;
    it is a sum of squares, weighted by the eigenvalues of the covariance, and close to a chi-square with as
    many degrees of freedom as make their variances equal, over another one, since the spread is estimated too
    [2]_. How often it errs is in ``docs/simulations/drift.md``.

    References
    ----------
    .. [1] Bai & Saranadasa (1996), Effect of high dimension: by an example of a two sample problem,
       Statistica Sinica 6, 311-329, section 4.
    .. [2] Box (1954), Some theorems on quadratic forms applied in the study of analysis of variance
       problems, I, Annals of Mathematical Statistics 25, 290-302, theorem 3.1.
    """
    from scipy.stats import f

    groups = list(_groups(sides))
    found = []
    for side, language, vectors, lengths in groups:
        n = len(vectors)
        then, trace, freedom = seen.get(f"{side}/{language}/spread", np.zeros(3)).tolist()
        if then < FEWEST:
            found.append(Drift(side, language, "unseen", n, 0.0, (then,)))
            continue
        low, high = seen[f"{side}/{language}/length"].tolist()
        middle = float(np.median(lengths))
        if not low / FACTOR <= middle <= high * FACTOR:
            found.append(Drift(side, language, "length", n, middle, (low, high)))
            continue
        off = float(np.square(vectors.mean(axis=0) - seen[f"{side}/{language}/mean"]).sum())
        by_chance = trace * (1 / n + 1 / then)
        p = float(f.sf(off / by_chance, freedom, freedom * (then - 1)))
        share = (off - by_chance) / trace
        if p < ALPHA / len(groups) and share > LEAST:
            found.append(Drift(side, language, "content", n, share, (), p))
    return tuple(found)


def _groups(
    sides: Mapping[Side, Texts],
) -> Iterator[tuple[Side, str, npt.NDArray[np.float64], npt.NDArray[np.int64]]]:
    for side, texts in sides.items():
        for language in np.unique(texts.languages):
            rows = texts.languages == language
            yield side, str(language), texts.vectors[rows].astype(np.float64), np.array(texts.lengths)[rows]


def _spread(centred: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Trace of the covariance, and the degrees of freedom: its square over the trace of the square.

    The latter by Bai & Saranadasa's unbiased estimator (their equation 4.3).
    """
    free = len(centred) - 1
    # Both have the same eigenvalues but for zeros.
    gram = (centred @ centred.T if centred.shape[0] < centred.shape[1] else centred.T @ centred) / free
    trace, of_square = float(np.trace(gram)), float(np.square(gram).sum())
    unbiased = free**2 / ((free + 2) * (free - 1)) * (of_square - trace**2 / free)
    return trace, trace**2 / max(unbiased, trace**2 / 1000)

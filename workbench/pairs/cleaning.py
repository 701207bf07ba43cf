"""Texts of pairs, cleaned as search cleans them; no pair is dropped here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.texts import MAX_CHARACTERS, clean

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CleanedColumn", "clean_column"]


@dataclass(frozen=True, eq=False)
class CleanedColumn:
    """A column of cleaned texts.

    Attributes
    ----------
    texts : Series of str
        Of the index that was given; ``""`` for blank texts.
    cut : ndarray of bool, shape (n,)
        Rows whose text was too long.
    """

    texts: pd.Series[str]
    cut: npt.NDArray[np.bool_]


def clean_column(texts: pd.Series[str], max_characters: int = MAX_CHARACTERS) -> CleanedColumn:
    r"""Clean each text as :func:`workbench.clean` does, but keep duplicates and blanks in their rows.

    Examples
    --------
    >>> import pandas as pd
    >>> clean_column(pd.Series(["  RAG\n开发", "", "RAG 开发"])).texts.tolist()
    ['RAG 开发', '', 'RAG 开发']
    """
    import pandas as pd

    codes, distinct = pd.factorize(texts)
    cleaned = clean(distinct.tolist(), max_characters=max_characters)
    new = np.full(len(distinct), "", dtype=object)
    new[cleaned.positions] = cleaned.texts
    for duplicate in cleaned.report.duplicates:
        new[duplicate.position] = new[duplicate.first]
    cut = np.zeros(len(distinct), dtype=np.bool_)
    cut[[found.position for found in cleaned.report.cut]] = True
    return CleanedColumn(pd.Series(new[codes], index=texts.index, name=texts.name, dtype="str"), cut[codes])

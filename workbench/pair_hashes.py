"""Short hashes of pairs: of one pair's texts, and of a whole labelled set for the cutoff card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed

if TYPE_CHECKING:
    import pandas as pd

HASHED = ("jd", "resume", "label", "weight", "inclusion_probability")


def content_hash(pairs: pd.DataFrame) -> str:
    """Hash of what the pairs say: texts, labels, and sampling weights where there are any.

    The order of rows and columns does not matter, nor do pair ids, groups and scores.

    Parameters
    ----------
    pairs : DataFrame
        ``jd, resume, label`` and perhaps ``weight`` or ``inclusion_probability``.

    Returns
    -------
    str
        ``sha256:`` and 64 hexadecimal digits.

    Raises
    ------
    InputError
        If a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> pairs = pd.DataFrame({"jd": ["a", "b"], "resume": ["c", "d"], "label": [1, 0]})
    >>> content_hash(pairs) == content_hash(pairs[::-1])
    True
    """
    missing = [name for name in HASHED[:3] if name not in pairs.columns]
    if missing:
        raise InputError(
            _("The pairs have no column {names}; a content hash needs it.").format(names=listed(missing))
        )
    columns = [pairs[name] for name in HASHED if name in pairs.columns]
    digest = hashlib.sha256()
    for line in sorted(_lines(columns)):
        digest.update(line)
    return f"sha256:{digest.hexdigest()}"


def texts_hash(jd: str, resume: str) -> str:
    """Hash of one pair's texts: 16 hexadecimal digits."""
    return hashlib.sha256(_line([jd, resume])).hexdigest()[:16]


def pair_ids_of(jds: Iterable[str], resumes: Iterable[str]) -> list[str]:
    """An id for each pair, which equal texts share."""
    return [f"pair-{texts_hash(jd, resume)}" for jd, resume in zip(jds, resumes, strict=True)]


def _lines(columns: list[pd.Series[Any]]) -> Iterable[bytes]:
    return (_line(row) for row in zip(*(column.tolist() for column in columns), strict=True))


def _line(values: Iterable[Any]) -> bytes:
    # JSON keeps ("ab", "c") and ("a", "bc") apart.
    return json.dumps(list(values), ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"

"""Labels as files have them, turned into ``"0"`` to ``"3"``: numbers, true and false, or anybody's words."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from workbench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["standard_labels"]

_NUMBERS = {str(grade): str(grade) for grade in range(4)} | {f"{grade}.0": str(grade) for grade in range(4)}
_STANDARD = _NUMBERS | {"true": "1", "false": "0"}


def standard_labels(
    values: pd.Series[str],
    positive: str | Collection[str] | None = None,
    negative: str | Collection[str] | None = None,
) -> pd.Series[str]:
    """The labels as ``"0"`` to ``"3"``; what is none stays as it is, and what is empty stays empty.

    Parameters
    ----------
    values : Series of str
        Without white space around.
    positive : str or collection of str, optional
        What the file calls a match; everything else that is not empty is none.
    negative : str or collection of str, optional
        What the file calls no match; with it, everything that is neither is no label.

    Raises
    ------
    InputError
        If a value is both, or no positive value occurs.

    Examples
    --------
    >>> import pandas as pd
    >>> standard_labels(pd.Series(["Good Fit", "No Fit", ""]), positive=["Good Fit"]).tolist()
    ['1', '0', '']
    >>> standard_labels(pd.Series(["1.0", "true", "2", "maybe"])).tolist()
    ['1', '1', '2', 'maybe']
    """
    if positive is None:
        if negative is not None:
            raise InputError("Labels that are no match are named, but none that are one; pass positive= too.")
        known = {value: _STANDARD.get(value.casefold(), value) for value in values.unique()}
        return values.map(known).astype("str")
    matches, others = _set(positive), _set(negative)
    if both := matches & others:
        raise InputError(f"{', '.join(map(repr, sorted(both)))} cannot be both positive and negative.")
    there = [value for value in values.unique() if value]
    if there and not matches & set(there):
        raise InputError(
            f"None of the positive labels ({', '.join(map(repr, sorted(matches)))}) occurs; the labels are "
            f"{', '.join(map(repr, sorted(there)[:8]))}{', …' if len(there) > 8 else ''}."
        )
    known = {"": ""}
    for value in there:
        no_match = value in others if others else value not in matches
        known[value] = "1" if value in matches else "0" if no_match else value
    return values.map(known).astype("str")


def _set(values: str | Collection[str] | None) -> set[str]:
    if values is None:
        return set()
    return {str(value).strip() for value in ([values] if isinstance(values, str) else values)}

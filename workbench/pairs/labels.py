"""What the labels of a file mean: numbers as they are, words as whoever reads the file says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from workbench.asking import option, options
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.pairs.checks import GRADES, some_of
from workbench.texts import brief

if TYPE_CHECKING:
    import pandas as pd

# More kinds of words than people label with: such a column holds something else than labels.
MOST_WORDS = 12
_NUMBERS = {str(grade): str(grade) for grade in GRADES} | {f"{grade}.0": str(grade) for grade in GRADES}
_STANDARD = _NUMBERS | {"true": "1", "false": "0"}
_NEGATIVE = {value: label for value, label in _STANDARD.items() if label == "0"}
# How words begin that seldom mean a match, in English and in Chinese.
_UNLIKELY = ("no", "un", "bad", "rej", "\u4e0d", "\u672a", "\u65e0", "\u5426")


def standard_labels(
    values: pd.Series[str],
    positive: str | Collection[str] | None = None,
    negative: str | Collection[str] | None = None,
) -> pd.Series[str]:
    """Labels as files have them, turned into ``"0"`` to ``"3"``; what is none, or empty, stays as it is.

    Parameters
    ----------
    values : Series of str
        Without white space around.
    positive : str or collection of str, optional
        What the file calls a match.
    negative : str or collection of str, optional
        What the file calls no match. 0 and false are no match too, unless they are positive.

    Raises
    ------
    InputError
        If the values are words of which it is not said what they mean, a value is both, or no positive
        value occurs; in words for a :class:`Problem`.

    Examples
    --------
    >>> import pandas as pd
    >>> standard_labels(pd.Series(["Good Fit", "No Fit", ""]), "Good Fit", "No Fit").tolist()
    ['1', '0', '']
    >>> standard_labels(pd.Series(["1.0", "true", "2", "maybe"])).tolist()
    ['1', '1', '2', 'maybe']
    """
    there = sorted(value for value in values.unique() if value)
    matches, others = _set(positive), _set(negative)
    if both := matches & others:
        raise InputError(_("{labels} cannot be both positive and negative").format(labels=_quoted(both)))
    if matches and there and not matches & set(there):
        raise InputError(
            _("none of the positive labels ({positive}) occurs; the labels are {labels}").format(
                positive=_quoted(matches), labels=_quoted(there)
            )
        )
    standard = _NEGATIVE if matches else _STANDARD
    said = dict.fromkeys(others, "0") | dict.fromkeys(matches, "1")
    known = {value: said.get(value, standard.get(value.casefold(), value)) for value in there}
    if not (matches and others) and len(there) <= MOST_WORDS:
        _refuse_unexplained(there, known, matches)
    return values.map({"": "", **known}).astype("str")


def _refuse_unexplained(there: Sequence[str], known: Mapping[str, str], matches: Collection[str]) -> None:
    """Refuse words of which nobody has said what they mean, with the options that would say it."""
    labels = {str(grade) for grade in GRADES}
    unknown = [value for value in there if known[value] not in labels]
    if not unknown or (not matches and len(unknown) < len(there)):
        # Among labels, single values that are none are mistakes, each with its row.
        return
    if matches:
        asked = _("holds {unknown} besides the matches ({positive}): are they no match?").format(
            unknown=_quoted(unknown), positive=_quoted(matches)
        )
        example = option("negative", *unknown)
    else:
        asked = _("holds {values}: which are matches?").format(values=_quoted(there))
        likely = next((word for word in there if not word.casefold().startswith(_UNLIKELY)), there[0])
        rest = [word for word in there if word != likely]
        example = options(positive=[likely], negative=rest)
    raise InputError(_("{asked} E.g. {example}").format(asked=asked, example=example) if example else asked)


def _set(values: str | Collection[str] | None) -> set[str]:
    if values is None:
        return set()
    return {str(value).strip() for value in ([values] if isinstance(values, str) else values)}


def _quoted(labels: Collection[str]) -> str:
    return some_of([brief(label) for label in sorted(labels)], 8)

"""Cleaning: from a pasted block or a list to distinct, tidy texts, with a report of what was changed.

Both sides of a match, JDs and résumé texts, pass through here before they are encoded, because a
cutoff is only valid for texts that were cleaned the way the labelled pairs were. No encoding here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext

# A longer text, or one of several lines, is a document: it says more than one thing.
LONGEST_LINE = 512
# Of what messages repeat.
LONGEST_WORD = 30
# Twice as much as 500 full pages.
MOST_CHARACTERS = 2_000_000
RECIPE_VERSION = 2

_INVISIBLE = re.compile("[\ufeff\u200b\u2060]+")  # byte-order mark, zero-width space, word joiner
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_BLANK_LINES = re.compile(r"\n{3,}")
# What programs write where a value is missing: pandas' own list (pandas.read_csv, na_values), Excel's errors,
# and what an empty field becomes in XML.
_MISSING = frozenset(
    {
        *("nan", "-nan", "null", "none", "na", "n/a", "<na>", "nat", "nil", "(null)", "undefined"),
        *("#n/a", "#na", "#name?", "#ref!", "#value!", "#div/0!", "#num!", "#null!", "#n/a n/a"),
    }
)


@dataclass(frozen=True)
class Duplicate:
    """A text that was dropped because an earlier one is the same once both are clean."""

    position: int
    first: int


@dataclass(frozen=True)
class CleaningReport:
    """What cleaning did; positions count from 0 in the input.

    Attributes
    ----------
    n_input, n_output : int
        Texts before and after; ``n_input == n_output + len(blank) + len(duplicates)``.
    blank : tuple of int
        Positions of texts that had nothing but white space, or only said that there is none.
    duplicates : tuple of Duplicate
        Texts dropped as duplicates, each with the position of the one that was kept.
    repaired : tuple of int
        Positions of texts with split surrogate pairs: joined again, or replaced by U+FFFD.
    missing : mapping of int to str
        Of the blank ones, those that said so: ``"nan"``, ``"NULL"``, ``"#N/A"``.
    """

    n_input: int
    n_output: int
    blank: tuple[int, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    repaired: tuple[int, ...] = ()
    missing: Mapping[int, str] = field(default_factory=dict)

    def summary(self) -> str:
        """One line for a status bar, with places counted from 1 as people do."""
        changes = {
            _("{n} blank dropped (no. {places})"): self.blank,
            _("{n} duplicate dropped (no. {places})"): [each.position for each in self.duplicates],
            _("{n} repaired (no. {places})"): self.repaired,
        }
        shown = [said.format(n=len(at), places=_places(at)) for said, at in changes.items() if at]
        words = listed(dict.fromkeys(map(repr, self.missing.values())))
        if words:
            shown.append(
                _("{n} of the blank ones say only that there is none ({words})").format(
                    n=len(self.missing), words=words
                )
            )
        texts = ngettext("{n} text", "{n} texts", self.n_output).format(n=self.n_output)
        if not shown:
            return texts
        return _("{texts}: {changes}").format(texts=texts, changes=_("; ").join(shown))

    def __str__(self) -> str:
        return self.summary()


@dataclass(frozen=True)
class Cleaned:
    """Cleaned texts with the report.

    Attributes
    ----------
    texts : list of str
        Distinct, not blank, in input order.
    positions : list of int
        For each text, its position in the input, so that metadata can be kept aligned.
    report : CleaningReport
    """

    texts: list[str]
    positions: list[int]
    report: CleaningReport


def clean(texts: str | Iterable[str]) -> Cleaned:
    r"""Clean a pasted block (one text a line) or a list of texts, of a line or of many.

    Each text is normalised to Unicode NFC, invisible marks are removed, white space inside a line (control
    characters too) becomes one space, ends of lines are stripped. Lines stay lines, and nothing is cut.
    Blank texts, those that only say that there is none (``nan``, ``NULL``, ``#N/A``), and exact duplicates
    are dropped; the first of each is kept, in order. Cleaning what is clean changes nothing.

    Parameters
    ----------
    texts : str or iterable of str
        A block is split into lines first; items of a list keep theirs.

    Raises
    ------
    InputError
        If an item is not a string, or longer than any document is (with its position).

    Examples
    --------
    >>> cleaned = clean("  Python  开发 \n\nPython 开发\nRAG")
    >>> cleaned.texts
    ['Python 开发', 'RAG']
    >>> print(cleaned.report)
    2 texts: 1 blank dropped (no. 2); 1 duplicate dropped (no. 3)
    """
    items = texts.splitlines() if isinstance(texts, str) else list(texts)
    first_seen: dict[str, int] = {}
    blank, duplicates, repaired = [], [], []
    missing: dict[int, str] = {}
    for position, item in enumerate(items):
        if not isinstance(item, str):
            raise InputError(
                _(
                    "Text {position} is {type}, not a string; drop missing values or convert them to str "
                    "first."
                ).format(position=position, type=kind_of(item))
            )
        if said := too_long(item):
            raise InputError(_("Text {position}: {reason}").format(position=position, reason=said))
        if _has_lone_surrogate(item):
            repaired.append(position)
        text = tidy_lines(item)
        if says_missing(text):
            missing[position] = text
        if not text or position in missing:
            blank.append(position)
        elif text in first_seen:
            duplicates.append(Duplicate(position, first_seen[text]))
        else:
            first_seen[text] = position
    report = CleaningReport(
        len(items), len(first_seen), tuple(blank), tuple(duplicates), tuple(repaired), missing
    )
    return Cleaned(list(first_seen), list(first_seen.values()), report)


def tidy(text: str) -> str:
    """One text in NFC, without invisible marks, on one line, with single spaces and stripped ends."""
    if _has_lone_surrogate(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    composed = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return str(_SPACE.sub(" ", composed)).strip()


def tidy_lines(text: str) -> str:
    r"""One text as :func:`tidy` makes its lines, with one blank line at most between two of them.

    Examples
    --------
    >>> tidy_lines("  任职要求 \r\n\n\n1.  熟悉   RAG ")
    '任职要求\n\n1. 熟悉 RAG'
    """
    lines = text.splitlines()
    if len(lines) < 2:
        return tidy(text)
    return str(_BLANK_LINES.sub("\n\n", "\n".join(map(tidy, lines)))).strip()


def is_line(text: str) -> bool:
    """Whether a tidy text is short enough to be compared as one thing; else it is a document."""
    return len(text) <= LONGEST_LINE and "\n" not in text


def too_long(text: str) -> str:
    """Why a text is refused for its length; empty if it is not."""
    if len(text) <= MOST_CHARACTERS:
        return ""
    return _(
        "it has {n} characters, more than a document of 1,000 pages; if it holds many documents, give each a "
        "file or a row of its own."
    ).format(n=f"{len(text):,}")


def says_missing(text: str) -> bool:
    """Whether a tidy text only says that there is none, as programs write it: ``nan``, ``NULL``, ``#N/A``."""
    return text.casefold() in _MISSING


def kind_of(value: object) -> str:
    """What a value is that was to be a text, for a message: its type, and a number itself.

    Messages and logs hold no texts, which may be somebody's.

    Examples
    --------
    >>> kind_of(float("nan")), kind_of(["13800138000"])
    ('float (nan)', 'list')
    """
    name = type(value).__name__
    return f"{name} ({value})" if isinstance(value, int | float) else name


def brief(word: str) -> str:
    """A word in quotation marks, such as a label or a column's name; of a text only how long it is.

    Examples
    --------
    >>> brief("Good Fit"), brief("Wrote Go services for eight years")
    ("'Good Fit'", 'a text of 33 characters')
    """
    return (
        repr(word) if len(word) <= LONGEST_WORD else _("a text of {n} characters").format(n=f"{len(word):,}")
    )


def cleaning_recipe() -> dict[str, str | int]:
    """All that decides what cleaning does, for the cutoff card."""
    return {"version": RECIPE_VERSION, "unicode": "NFC", "whitespace": "collapsed in lines"}


def _has_lone_surrogate(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _places(positions: Iterable[int], most: int = 5) -> str:
    places = [str(position + 1) for position in positions]
    return listed(places if len(places) <= most else [*places[:most], "…"])

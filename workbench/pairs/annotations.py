"""What annotators said: in a table such as ``annotations.csv``, and in the logs of the labelling panel.

Each annotator of a set has a log, ``annotations/<annotator>.jsonl``, an append-only file of JSON lines:
nothing is ever changed or deleted in it. A line is on disk before :meth:`AnnotationLog.append` returns; one
that a killed process has left unfinished was never reported as done, and is passed over.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from workbench.atomic import only_writer, private_opener, write_whole
from workbench.errors import InputError, StoreError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext
from workbench.pairs.checks import (
    ANNOTATION_COLUMNS,
    ANNOTATOR_NAME,
    GRADES,
    PairsError,
    Problem,
    label_problems,
    missing_columns,
)
from workbench.pairs.labels import standard_labels
from workbench.pairs.tables import as_text, read_table

if TYPE_CHECKING:
    import pandas as pd

Action = Literal["label", "skip", "retract"]
ANNOTATIONS_FILE = "annotations.csv"
FOLDER = "annotations"
# Of whole documents: the phrase that a label rests on, and "1" where evidence had been looked at first.
DETAILS = ("phrase", "looked")
# A label, whose texts its annotator saw (where that is known), and where it stands.
_COLUMNS = [*ANNOTATION_COLUMNS, *DETAILS, "texts", "file", "row"]
# What a line need not say.
_UNSAID: dict[str, object] = {"label": None, "note": "", "texts": "", "phrase": "", "looked": False}


class LabelledElsewhereError(StoreError):
    """The same annotator has labelled in another window meanwhile; nothing was saved."""


@dataclass(frozen=True)
class Entry:
    """One thing that an annotator did.

    Attributes
    ----------
    line : int
        Where it stands in the file; the first is 1.
    action : {"label", "skip", "retract"}
        ``"retract"`` takes back what was done last for the pair.
    pair_id : str
    label : int or None
        None unless `action` is ``"label"``.
    note : str
    at : str
        UTC, ISO 8601.
    texts : str
        Hash of the two texts that were shown.
    phrase : str
        The piece of the résumé that the label rests on, where the annotator named one.
    looked : bool
        Whether the annotator had a scorer's evidence shown before the label: what is shown sways.
    """

    line: int
    action: Action
    pair_id: str
    label: int | None
    note: str
    at: str
    texts: str
    phrase: str = ""
    looked: bool = False


class AnnotationLog:
    """The log of one annotator of a set.

    Parameters
    ----------
    folder : Path
        Folder of the set; the log is made in its ``annotations/`` with the first entry.
    annotator : str
        Letters and digits, and ``- . @ + _`` after the first.

    Raises
    ------
    InputError
        If the name cannot be one, or another annotator's differs from it in capitals only.
    PairsError
        If a line of the file is no entry.

    Attributes
    ----------
    path : Path
    annotator : str
    entries : list of Entry
        All that were read or appended so far.
    """

    def __init__(self, folder: str | Path, annotator: str) -> None:
        self.annotator = check_annotator(annotator)
        self.path = Path(folder) / FOLDER / f"{self.annotator}.jsonl"
        for other in self.path.parent.glob("*.jsonl"):
            # Some file systems would take both names for the same file.
            if other.stem != self.annotator and other.stem.casefold() == self.annotator.casefold():
                raise InputError(
                    _("There is an annotator {name}; use the same spelling.").format(name=repr(other.stem))
                )
        self.entries: list[Entry] = []
        self._read_bytes = self._inode = 0
        self.refresh()

    def refresh(self) -> list[Entry]:
        """Read what was appended by others since; returns those entries."""
        try:
            with self.path.open("rb") as file:
                if (inode := os.fstat(file.fileno()).st_ino) != self._inode:
                    # Made, or made anew when a person was forgotten: read from the start.
                    self.entries.clear()
                    self._read_bytes, self._inode = 0, inode
                file.seek(self._read_bytes)
                content = file.read()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(
                _("{file} cannot be read: {error}.").format(file=self.path, error=error.strerror or error)
            ) from error
        whole = content[: content.rfind(b"\n") + 1]
        # Other line breaks, such as U+2028, may stand in an id or a note.
        lines = whole.decode("utf-8", "replace").split("\n")[:-1]
        new = list(_entries(lines, self.path, start=len(self.entries) + 1))
        self.entries += new
        self._read_bytes += len(whole)
        return new

    def append(
        self,
        action: Action,
        pair_id: str,
        *,
        label: int | None = None,
        note: str = "",
        texts: str = "",
        phrase: str = "",
        looked: bool = False,
    ) -> Entry:
        """Write one entry; it is on disk when this returns.

        Raises
        ------
        LabelledElsewhereError
            If others have appended to this log since it was last read; they are in `entries` now.
        StoreError
            If the file cannot be written.
        """
        entry = Entry(len(self.entries) + 1, action, pair_id, label, note, _now(), texts, phrase, looked)
        _check(entry)
        with only_writer(self.path):
            if others := self.refresh():
                said = ngettext(
                    "{annotator} has labelled in another window meanwhile ({n} step); the last click was not "
                    "saved. Look at the pair that is shown now.",
                    "{annotator} has labelled in another window meanwhile ({n} steps); the last click was "
                    "not saved. Look at the pair that is shown now.",
                    len(others),
                )
                raise LabelledElsewhereError(said.format(annotator=self.annotator, n=len(others)))
            line = _line(entry)
            with open(self.path, "ab", opener=private_opener) as file:
                # What a killed process has left of a line must not become the start of this one.
                file.truncate(self._read_bytes)
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
                self._inode = os.fstat(file.fileno()).st_ino
            if len(self.entries) == 0:
                _sync_folder(self.path.parent)
        self.entries.append(entry)
        self._read_bytes += len(line)
        return entry

    def current(self) -> dict[str, Entry]:
        """The last label or skip of each pair that was not taken back, by ``pair_id``."""
        return current(self.entries)

    def forget(self, gone: Callable[[str], bool]) -> int:
        """Erase what was said of pairs, by their ids, and unfinished lines; returns how many entries."""
        with only_writer(self.path):
            self.refresh()
            left = [entry for entry in self.entries if not gone(entry.pair_id)]
            removed = len(self.entries) - len(left)
            if removed or self.path.stat().st_size > self._read_bytes:
                write_whole(self.path, b"".join(map(_line, left)))
                self.refresh()
        return removed


def check_annotator(name: str) -> str:
    """The name, if it can be an annotator's.

    Raises
    ------
    InputError
        If not.

    Examples
    --------
    >>> check_annotator(" 王芳 ")
    '王芳'
    >>> check_annotator("../boss")
    Traceback (most recent call last):
        ...
    workbench.errors.InputError: '../boss' cannot be an annotator's name; ...
    """
    tidy = unicodedata.normalize("NFC", name.strip())
    if not re.fullmatch(ANNOTATOR_NAME, tidy):
        raise InputError(
            _(
                "{name} cannot be an annotator's name; use letters and digits, and - . @ + _ after the "
                "first, 64 characters at most."
            ).format(name=f"{name!r:.80}")
        )
    return tidy


def current(entries: Iterable[Entry]) -> dict[str, Entry]:
    """What stands after all entries: the last label or skip of each pair that was not taken back."""
    standing: dict[str, Entry] = {}
    for entry in entries:
        # Taken out first, so that the order is that of the last time.
        standing.pop(entry.pair_id, None)
        if entry.action != "retract":
            standing[entry.pair_id] = entry
    return standing


def logs_in(folder: str | Path) -> list[AnnotationLog]:
    """The logs of a set, by name of the annotator."""
    # What a killed process has left of a file begins with a dot.
    paths = sorted((Path(folder) / FOLDER).glob("[!.]*.jsonl"))
    return [AnnotationLog(folder, path.stem) for path in paths]


def annotations_in(
    folder: Path,
    encoding: str | None = None,
    positive: str | Collection[str] | None = None,
    negative: str | Collection[str] | None = None,
) -> tuple[pd.DataFrame, list[Problem]]:
    """All labels of a set: those of ``annotations.csv`` and those of the logs."""
    import pandas as pd

    problems: list[Problem] = []
    tables = []
    if (folder / ANNOTATIONS_FILE).is_file():
        table = read_table(folder / ANNOTATIONS_FILE, encoding=encoding)
        said, problems = annotations_from(table, ANNOTATIONS_FILE, positive, negative)
        tables.append(said)
    tables += [of_log(log) for log in logs_in(folder)]
    filled = [table for table in tables if len(table)]
    return (pd.concat(filled, ignore_index=True) if filled else no_annotations()), problems


def annotations_from(
    table: pd.DataFrame,
    file: str,
    positive: str | Collection[str] | None = None,
    negative: str | Collection[str] | None = None,
) -> tuple[pd.DataFrame, list[Problem]]:
    """The annotations in a table, and what is wrong with them; without its columns there are none."""
    if problems := missing_columns(table, ANNOTATION_COLUMNS[:3], file):
        return no_annotations(), problems
    there = [name for name in ANNOTATION_COLUMNS if name in table.columns]
    said = table[there].assign(**{name: as_text(table[name]).str.strip() for name in there})
    said = said.reindex(columns=list(ANNOTATION_COLUMNS), fill_value="")
    said = said.assign(**dict.fromkeys((*DETAILS, "texts"), ""), file=file, row=said.index)
    try:
        said["label"] = standard_labels(said["label"], positive, negative)
    except InputError as error:
        return said, [Problem(file, "label", (), str(error))]
    return said, label_problems(said, file)


def no_annotations() -> pd.DataFrame:
    """A frame without a row."""
    import pandas as pd

    return pd.DataFrame({name: pd.Series(dtype="int64" if name == "row" else "str") for name in _COLUMNS})


def of_log(log: AnnotationLog) -> pd.DataFrame:
    """The labels that stand in a log."""
    import pandas as pd

    file = f"{log.path.parent.name}/{log.path.name}"
    rows = [
        (
            *(entry.pair_id, log.annotator, str(entry.label), entry.at, entry.note),
            *(entry.phrase, "1" if entry.looked else "", entry.texts, file, entry.line),
        )
        for entry in log.current().values()
        if entry.action == "label"
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _entries(lines: Iterable[str], path: Path, start: int) -> Iterator[Entry]:
    name = f"{path.parent.name}/{path.name}"
    for number, line in enumerate(lines, start=start):
        try:
            fields = {name: _whole(value) for name, value in (_UNSAID | json.loads(line)).items()}
            entry = Entry(number, *(fields[field.name] for field in dataclass_fields(Entry)[1:]))
            _check(entry)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            what = _("not a line of an annotation log ({error}); repair or remove it")
            problem = Problem(name, None, (number,), what.format(error=str(error) or type(error).__name__))
            raise PairsError([problem]) from error
        yield entry


def _whole(value: Any) -> Any:
    """A text without halves of characters, which JSON can have."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _check(entry: Entry) -> None:
    if entry.action not in get_args(Action):
        known = listed(get_args(Action))
        raise InputError(
            _("action is {action}; it is one of {known}").format(action=repr(entry.action), known=known)
        )
    if not all(isinstance(text, str) for text in (entry.pair_id, entry.note, entry.phrase)):
        raise InputError(_("pair_id, note and phrase must be texts"))
    if (entry.label in GRADES and not isinstance(entry.label, bool)) is not (entry.action == "label"):
        raise InputError(
            _("label is {label} with action {action}").format(label=repr(entry.label), action=entry.action)
        )


def _line(entry: Entry) -> bytes:
    said = {name: value for name, value in asdict(entry).items() if value != _UNSAID.get(name)}
    fields = {"at": said.pop("at"), **said}
    del fields["line"]
    text = json.dumps(fields, ensure_ascii=False)
    # Half a surrogate pair from a note must not keep a label from being written.
    return text.encode("utf-8", "replace") + b"\n"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _sync_folder(folder: Path) -> None:
    """Have the system put on disk that a file was made in a folder; Windows cannot open one."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

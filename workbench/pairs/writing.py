"""Labelled sets written: to a folder, so that reading it gives the same; and made of other tools' records.

The formats of other tools are in :mod:`workbench.pairs.label_studio` and :mod:`workbench.pairs.argilla`.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.atomic import write_whole
from workbench.documents.aside import read_aside
from workbench.errors import InputError, PairsWarning, StoreError
from workbench.files.exporting import neutralise_formulas
from workbench.files.kinds import open_text
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext
from workbench.masking import masked
from workbench.pair_hashes import pair_ids_of
from workbench.pairs.annotations import ANNOTATIONS_FILE, annotations_from
from workbench.pairs.checks import (
    ANNOTATION_COLUMNS,
    PAIR_COLUMNS,
    PairsError,
    contradictions,
    misplaced_labels,
    pair_problems,
    require_columns,
    some_of,
    which_is_which,
)
from workbench.pairs.document_set import are_of_documents, holds_documents
from workbench.pairs.reading import PAIRS_FILE
from workbench.pairs.tables import as_text, cell_text, clean_column

if TYPE_CHECKING:
    import pandas as pd

MATCH, NO_MATCH = "match", "no match"


def write_pairs(folder: str | Path, pairs: pd.DataFrame, annotations: pd.DataFrame | None = None) -> Path:
    """Write ``pairs.csv`` and ``annotations.csv``, checked before the first byte is written.

    The files are for :func:`~workbench.pairs.read_pairs`, and safe to open in a spreadsheet: a text that it
    would take for a formula has an apostrophe before it there, which reading takes off again.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there; files of these names in it are replaced, each as a whole.
    pairs : DataFrame
        ``pair_id, jd, resume`` and group columns. A ``label`` column is left out: labels are annotations.
        Without annotations, pairs of whole documents (with ``jd_id, resume_id``) are written as a folder of
        documents again.
    annotations : DataFrame, optional
        ``pair_id, annotator, label`` and perhaps ``labelled_at, note``.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    PairsError
        If what would be written could not be read again; with all problems.
    StoreError
        If the folder cannot be written.
    """
    import pandas as pd

    folder = Path(folder)
    require_columns(pairs, PAIR_COLUMNS, _("The pairs"))
    columns = [*PAIR_COLUMNS, *(name for name in pairs.columns if name not in (*PAIR_COLUMNS, "label"))]
    rows = pd.RangeIndex(2, len(pairs) + 2)
    texts = pairs[columns].set_axis(rows, axis=0)
    texts = texts.assign(**{str(name): as_text(texts[name]).str.strip() for name in columns})
    problems = pair_problems(texts, PAIRS_FILE)
    said = None
    if annotations is not None:
        table = annotations.set_axis(pd.RangeIndex(2, len(annotations) + 2), axis=0)
        said, found = annotations_from(table, ANNOTATIONS_FILE)
        problems += found
        if all(problem.rows for problem in found):
            problems += misplaced_labels(said, texts)
    if problems:
        raise PairsError(problems, done="written")
    if said is None and are_of_documents(texts):
        for side in ("jd", "resume"):
            for name, text in dict(zip(texts[f"{side}_id"], texts[side], strict=True)).items():
                write_whole(folder / f"{side}s/{name}.txt", text.encode())
        texts = texts.drop(columns=list(PAIR_COLUMNS))
    # The pairs last: with them it counts as a set, and a killed process must not leave one without labels.
    if said is not None:
        write_whole(folder / ANNOTATIONS_FILE, csv_of(said[list(ANNOTATION_COLUMNS)]))
    write_whole(folder / PAIRS_FILE, csv_of(texts))
    return folder


def working_copy(source: str | Path, target: str | Path) -> Path:
    """A copy of a set to label in, so that the set itself stays as it is.

    Parameters
    ----------
    source : str or Path
        A set: a folder with ``pairs.csv``, or with whole documents.
    target : str or Path
        Where the copy shall be. If it is there already, with the same pairs, it is kept with all labels
        that were given in it; the set itself as target is no copy, and left as it is.

    Returns
    -------
    Path
        The target.

    Raises
    ------
    InputError
        If the source has no pairs, or the target has other ones.
    StoreError
        If the copy cannot be written.
    """
    source, target = Path(source), Path(target)
    if holds_documents(source):
        return _copy_of_documents(source, target)
    if not (source / PAIRS_FILE).is_file():
        raise InputError(_("{folder} has no pairs.csv; pass the folder of a set.").format(folder=source))
    if (target / PAIRS_FILE).is_file():
        if (target / PAIRS_FILE).read_bytes() != (source / PAIRS_FILE).read_bytes():
            raise InputError(_other_pairs(source, target))
        return target
    # The pairs last: without them, a copy that was interrupted counts for none and is made anew.
    _copy(sorted(_files_of(source), key=lambda path: path.name == PAIRS_FILE), source, target)
    return target


def _copy_of_documents(source: Path, target: Path) -> Path:
    """The copy, made or completed; tables and logs that are there already are left as they are."""
    files = _files_of(source)
    for path in files:
        there = target / path.relative_to(source)
        is_document = path.parent.name in ("jds", "resumes")
        if is_document and there.is_file() and there.read_bytes() != path.read_bytes():
            raise InputError(_other_pairs(source, target))
    _copy([path for path in files if not (target / path.relative_to(source)).is_file()], source, target)
    return target


def _files_of(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".lock"]


def _other_pairs(source: Path, target: Path) -> str:
    return _(
        "{target} holds other pairs than {source}; choose another folder, or move that one away."
    ).format(target=target, source=source)


def _copy(files: Iterable[Path], source: Path, target: Path) -> None:
    try:
        for path in files:
            write_whole(target / path.relative_to(source), path.read_bytes())
    except OSError as error:
        raise StoreError(
            _("{source} cannot be copied to {target}: {error}.").format(
                source=source, target=target, error=error.strerror or error
            )
        ) from error


@dataclass(frozen=True, eq=False)
class LabelledSet:
    """What came from another tool; :func:`~workbench.pairs.write_pairs` makes a set of it.

    Attributes
    ----------
    pairs : DataFrame
        ``pair_id, jd, resume`` and groups.
    annotations : DataFrame
        ``pair_id, annotator, label`` (int64), ``labelled_at, note``.
    n_skipped : int
        Answers that were skipped, cancelled, or only drafts.
    unreadable : tuple of str
        What stood in the place of an answer and is none, such as null, with where it stood.
    """

    pairs: pd.DataFrame
    annotations: pd.DataFrame
    n_skipped: int
    unreadable: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return _(
            "<LabelledSet: {pairs} pairs, {labels} labels by {annotators} annotators, {skipped} skipped>"
        ).format(
            pairs=len(self.pairs),
            labels=len(self.annotations),
            annotators=self.annotations["annotator"].nunique(),
            skipped=self.n_skipped,
        )


@dataclass
class Gathered:
    """What is taken from another tool's export, one entry after the other; rows are numbers of entries."""

    file: str
    pairs: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    n_skipped: int = 0

    def pair(
        self,
        where: str,
        texts: Mapping[str, Any],
        names: Mapping[str, str],
        row: int,
        *,
        pair_id: Any = None,
        groups: Mapping[str, Any],
    ) -> str:
        """Take a pair; `names` is ours to theirs, and without an id the texts make one. Returns the id.

        Raises
        ------
        InputError
            If a text is not there.
        """
        if lost := {ours: names[ours] for ours in ("jd", "resume") if names[ours] not in texts}:
            said = _("{where} has no field {lost}; it has {names}. {advice}").format(
                where=where,
                lost=listed(map(repr, lost.values())),
                names=listed(texts),
                advice=which_is_which(lost),
            )
            raise InputError(said.strip())
        jd, resume = cell_text(texts[names["jd"]]), cell_text(texts[names["resume"]])
        pair_id = pair_id or pair_ids_of([jd], [resume])[0]
        named = {cell_text(name): value for name, value in groups.items()}
        self.pairs.append({**named, "pair_id": pair_id, "jd": jd, "resume": resume, "row": row})
        return str(pair_id)

    def checked(
        self, positive: str | Collection[str] | None, negative: str | Collection[str] | None
    ) -> LabelledSet:
        """All of it as a set, if nothing is wrong with it.

        Raises
        ------
        PairsError
            If something is, with all of it.
        InputError
            If nothing was taken.

        Warns
        -----
        PairsWarning
            If something that is no answer was left out.
        """
        import pandas as pd

        if not self.pairs:
            raise InputError(_("{file} has no records.").format(file=self.file))
        table = pd.DataFrame(self.pairs, dtype=object).set_index("row")
        table = table.assign(**{str(name): as_text(table[name]).str.strip() for name in table.columns})
        table = table.assign(**{name: clean_column(table[name]) for name in ("jd", "resume")})
        problems = pair_problems(table, self.file, one_id=False)
        columns = [*ANNOTATION_COLUMNS, "row"]
        said = pd.DataFrame(self.annotations, columns=columns, dtype=object).set_index("row")
        if positive is None:
            said["label"] = said["label"].replace({MATCH: "1", NO_MATCH: "0"})
        labels, found = annotations_from(said, self.file, positive, negative)
        problems += [*found, *(contradictions(labels) if all(problem.rows for problem in found) else [])]
        if problems:
            raise PairsError(problems)
        if self.unreadable:
            left_out = ngettext(
                "{file}: {n} entry that is no answer left out ({entries}).",
                "{file}: {n} entries that are no answers left out ({entries}).",
                len(self.unreadable),
            ).format(file=self.file, n=len(self.unreadable), entries=some_of(self.unreadable))
            warnings.warn(left_out, PairsWarning, stacklevel=3)
        labels = labels.loc[labels["label"].ne(""), list(ANNOTATION_COLUMNS)]
        labels = labels.drop_duplicates(["pair_id", "annotator"]).reset_index(drop=True)
        first = [*PAIR_COLUMNS, *(name for name in table.columns if name not in PAIR_COLUMNS)]
        table = table[first].drop_duplicates("pair_id").reset_index(drop=True)
        return LabelledSet(table, labels.astype({"label": "int64"}), self.n_skipped, tuple(self.unreadable))


def label_word(label: int, *, grades: bool) -> str:
    """A label as people read it in another tool."""
    if grades:
        return str(label)
    return MATCH if label else NO_MATCH


def records_in(source: str | Path | Sequence[Any], name: str) -> tuple[Sequence[Any], str]:
    """The list in a JSON file, if `source` is one's path, and the name to call it by in messages.

    Raises
    ------
    InputError
        If the file is not there, not JSON, or no list.
    """
    if not isinstance(source, str | Path):
        return source, name
    path = Path(source).expanduser()
    if not path.is_file():
        raise InputError(_("There is no file {path}; check the path.").format(path=path))
    content = read_aside(partial(_json_in, path), path)
    if not isinstance(content, list):
        raise InputError(
            _("{file} holds a {type}; a list of tasks or records is expected.").format(
                file=path.name, type=type(content).__name__
            )
        )
    return content, path.name


def _json_in(path: Path) -> Any:
    with open_text(path) as file:
        try:
            return json.load(file)
        except (ValueError, RecursionError) as error:
            raise InputError(_("{file} is not JSON: {error}.").format(file=path.name, error=error)) from None


def masked_sides(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs as another tool is given them: both texts masked, if that is asked for; names of people stay."""
    sides = [side for side in ("jd", "resume") if side in pairs]
    return pairs.assign(**{side: pairs[side].map(masked) for side in sides})


def csv_of(table: pd.DataFrame) -> bytes:
    """A table as its readers read it again."""
    # pandas leaves a lone carriage return unquoted, and readers take it for the end of a row; no reader
    # takes a file with NUL for text.
    lines = table.replace({"\r\n?": "\n", "\x00": ""}, regex=True)
    return neutralise_formulas(lines).to_csv(index=False, lineterminator="\n").encode()

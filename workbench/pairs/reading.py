"""Reading labelled pairs, a set in a folder or any one table, in one line: cleaned, checked, resolved."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench.asking import option, options
from workbench.errors import InputError, PairsWarning
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext, paragraph
from workbench.pair_hashes import pair_ids_of
from workbench.pairs.annotations import DETAILS, annotations_from, annotations_in, no_annotations
from workbench.pairs.checks import (
    ANNOTATION_COLUMNS,
    NUMBER_COLUMNS,
    PAIR_COLUMNS,
    PairsError,
    Problem,
    among,
    bullets,
    contradictions,
    if_unlabelled,
    losses,
    misplaced_labels,
    missing_columns,
    pair_problems,
    which_is_which,
)
from workbench.pairs.document_set import MATCHES_FROM, DocumentSet, Level, holds_documents
from workbench.pairs.resolution import How, Resolution
from workbench.pairs.resolution import resolve as resolve_labels
from workbench.pairs.tables import as_text, clean_column, read_table, recognised_columns
from workbench.texts import cleaning_recipe, is_line

if TYPE_CHECKING:
    import pandas as pd

BadRows = Literal["error", "drop"]
PAIRS_FILE = "pairs.csv"
# Bytes of memory for the values of one file, such as is dropped on a page; checking and cleaning takes five
# times as much. A folder is somebody's own.
MOST_TEXT = 64 * 2**20


def read_pairs(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    positive: str | Collection[str] | None = None,
    negative: str | Collection[str] | None = None,
    labelled: bool = True,
    level: Level = "pair",
    resolve: How = "adjudicated",
    threshold: int | None = None,
    min_labels: int = 1,
    adjudicators: Collection[str] | None = None,
    encoding: str | None = None,
    bad_rows: BadRows = "error",
) -> pd.DataFrame:
    r"""Read labelled pairs, checked, cleaned as search cleans texts, with one label a pair.

    Parameters
    ----------
    path : str or Path
        A folder with ``pairs.csv`` (``pair_id, jd, resume`` and any group columns) and the labels in
        ``annotations.csv`` (``pair_id, annotator, label, labelled_at, note``), in the logs of the
        labelling panel (``annotations/*.jsonl``), or in both. Or one table (.csv, .tsv, .xlsx, .jsonl,
        .parquet) with ``jd, resume, label``, where ``pair_id`` and ``annotator`` may be given too. Or a
        folder of whole documents, with ``jds/`` and ``resumes/`` (:mod:`workbench.pairs.document_set`).
    columns : mapping, optional
        For a table with other names: ``{"jd": "job_description_text", …}``, ours to theirs.
    positive, negative : str or collection of str, optional
        For words as labels: which mean a match (``["Good Fit"]``), and which none (``["No Fit"]``). Words
        that are neither are an error.
    labelled : bool
        False for a pool of pairs that are to be labelled: no labels are asked for or returned.
    level : {"pair", "requirement"}
        Of whole documents: a pair is a JD and a résumé, or one requirement of the JD and a résumé.
    resolve : {"adjudicated", "majority", "unanimous"}
        How several people's labels become one; see :func:`~workbench.pairs.resolve`.
    threshold : int, optional
        For grades from 0 to 3: the smallest that counts as a match. Of whole documents by default 2 ("I'd
        call them"); of requirements 1 (covered in part).
    min_labels, adjudicators
        As of :func:`~workbench.pairs.resolve`.
    encoding : str, optional
        Of text files, if it cannot be found out.
    bad_rows : {"error", "drop"}
        Rows that cannot be used are an error that lists them all; or they are left out and counted.

    Returns
    -------
    DataFrame
        ``pair_id, jd, resume, label`` (int64, 0 or 1), then the group columns; a row for each pair, in
        the order of the file. `attrs` says what was read: ``source``, ``reading`` (counts of what was
        left out), ``resolution``, ``cleaning``; it is a note on the file, which does not follow
        what is done to the frame afterwards. :func:`~workbench.pairs.content_hash` is of the frame.

    Raises
    ------
    PairsError
        If columns or rows cannot be used: all problems at once, with file, row and column.
    InputError
        If a file cannot be read at all, or no pair is left.

    Warns
    -----
    PairsWarning
        If pairs were left out.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "fits.csv")
    ...     _ = file.write_text("job,cv,fit\nNurse,Ward nurse,Good Fit\nNurse,Chef,No Fit\n")
    ...     columns = {"jd": "job", "resume": "cv", "label": "fit"}
    ...     pairs = read_pairs(file, columns=columns, positive="Good Fit", negative="No Fit")
    >>> pairs[["jd", "resume", "label"]]
          jd      resume  label
    0  Nurse  Ward nurse      1
    1  Nurse        Chef      0
    """
    options = _Options(columns, positive, negative, labelled, encoding, bad_rows, level)
    loaded = _load(Path(path).expanduser(), options)
    pairs, counts = loaded.pairs, loaded.counts
    notes: dict[Hashable | None, Any] = {
        "source": Path(path).name,
        "reading": counts,
        "cleaning": None if loaded.whole else cleaning_recipe(),
    }
    if loaded.whole and threshold is None:
        threshold = MATCHES_FROM[level]
    first = list(PAIR_COLUMNS)
    resolution = None
    if labelled:
        _refuse_grades(loaded, threshold)
        resolution = resolve_labels(
            loaded.annotations, resolve, threshold=threshold, min_labels=min_labels, adjudicators=adjudicators
        )
        labels = pairs["pair_id"].map(resolution.labels)
        counts["without_label"] = int((~among(pairs["pair_id"], loaded.annotations["pair_id"])).sum())
        notes["resolution"] = resolution.to_dict()
        pairs = pairs[labels.notna()].assign(label=labels.dropna().astype("int64")).reset_index(drop=True)
        first.append("label")
    _warn(loaded, resolution)
    if pairs.empty:
        without = (
            _("{file} has no pair that can be used with a label.")
            if labelled
            else _("{file} has no pair that can be used.")
        )
        said = without.format(file=Path(path).name)
        advice = [if_unlabelled()] if labelled and not len(loaded.annotations) else []
        raise InputError(paragraph([said, *filter(None, advice)]))
    pairs = pairs[[*first, *(name for name in pairs.columns if name not in first)]]
    pairs.attrs = notes
    return pairs


def read_annotations(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    positive: str | Collection[str] | None = None,
    negative: str | Collection[str] | None = None,
    level: Level = "pair",
    encoding: str | None = None,
    bad_rows: BadRows = "error",
) -> pd.DataFrame:
    """What every annotator of a set has said.

    Parameters are as of :func:`read_pairs`.

    Returns
    -------
    DataFrame
        ``pair_id, annotator, label`` (int64), ``labelled_at`` (ISO 8601 as text), ``note``; one row for
        each label. Labels that were taken back in the labelling panel are not there. Of whole documents
        also ``phrase``, which the label rests on, and ``looked``: ``"1"`` if evidence was shown before.

    Raises
    ------
    PairsError, InputError
        As :func:`read_pairs`.
    """
    options = _Options(columns, positive, negative, True, encoding, bad_rows, level=level)
    return _load(Path(path).expanduser(), options).annotations


@dataclass(frozen=True)
class _Options:
    """How to read; as the parameters of :func:`read_pairs`."""

    columns: Mapping[str, str] | None = None
    positive: str | Collection[str] | None = None
    negative: str | Collection[str] | None = None
    labelled: bool = True
    encoding: str | None = None
    bad_rows: BadRows = "error"
    level: Level = "pair"


@dataclass(frozen=True, eq=False)
class _Loaded:
    """What was read: one row a pair, in the order of the file, and one row for each label.

    `counts` says how many rows could not be used (`problems` says why; only with ``bad_rows="drop"``), how
    many say again what an earlier row says, and how many have a text that is more than a line; `notes`, how
    the file was read where that was a choice; `whole`, that texts are whole documents.
    """

    pairs: pd.DataFrame
    annotations: pd.DataFrame
    counts: dict[str, int]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    whole: bool = False


def _load(path: Path, options: _Options) -> _Loaded:
    """A folder with ``pairs.csv``, or a single file, checked; labels are still what each annotator said."""
    if options.bad_rows not in ("error", "drop"):
        raise InputError(
            _("bad_rows is {value}; choose 'error' or 'drop'.").format(value=repr(options.bad_rows))
        )
    ours = dict.fromkeys((*PAIR_COLUMNS, *ANNOTATION_COLUMNS))
    if unknown := [name for name in options.columns or {} if name not in ours]:
        raise InputError(
            _(
                "{unknown} is none of our columns ({ours}); write ours first: {example}. Other columns are "
                "kept under the names that they have."
            ).format(
                unknown=listed(map(repr, unknown)),
                ours=listed(ours),
                example=option("columns", {"jd": "NAME"}),
            )
        )
    if path.is_dir() and holds_documents(path):
        return _load_documents(DocumentSet(path), options)
    if options.level != "pair":
        raise InputError(
            _("{path} holds no whole documents (jds/ and resumes/), and so no requirements of them.").format(
                path=path
            )
        )
    return _load_folder(path, options) if path.is_dir() else _load_file(path, options)


def _load_documents(documents: DocumentSet, options: _Options) -> _Loaded:
    if problems := documents.problems(options.level):
        raise PairsError(problems)
    pairs = documents.items(options.level)
    said, problems = documents.said(options.level) if options.labelled else (no_annotations(), [])
    problems += misplaced_labels(said, pairs)
    return replace(_usable(pairs, said, PAIRS_FILE, problems, options), whole=True)


def _load_folder(folder: Path, options: _Options) -> _Loaded:
    if not (folder / PAIRS_FILE).is_file():
        raise InputError(
            _("{folder} has no pairs.csv; pass a folder that has one, or a single file.").format(
                folder=folder
            )
        )
    pairs = read_table(folder / PAIRS_FILE, encoding=options.encoding)
    problems = missing_columns(pairs, PAIR_COLUMNS, PAIRS_FILE)
    said, found = no_annotations(), list[Problem]()
    if options.labelled:
        said, found = annotations_in(folder, options.encoding, options.positive, options.negative)
    problems += found
    if _any_whole_file(problems):
        raise PairsError(problems)
    pairs = _cleaned(pairs)
    problems += [*pair_problems(pairs, PAIRS_FILE), *misplaced_labels(said, pairs)]
    return _usable(pairs, said, PAIRS_FILE, problems, options)


def _load_file(path: Path, options: _Options) -> _Loaded:
    read = read_table(path, encoding=options.encoding, most=MOST_TEXT)
    table, recognised = recognised_columns(_renamed(read, options.columns or {}, path.name))
    notes = (*read.attrs.get("notes", ()), *recognised)
    needed = ("jd", "resume", "label") if options.labelled else ("jd", "resume")
    if problems := missing_columns(table, needed, path.name):
        lost = [name for name in needed if name not in table.columns]
        raise PairsError(problems, advice=which_is_which(lost))
    table = _cleaned(table)
    if "pair_id" not in table.columns:
        table.insert(0, "pair_id", pair_ids_of(table["jd"], table["resume"]))
    pairs = table.drop(columns=[name for name in ANNOTATION_COLUMNS[1:] if name in table.columns])
    problems = pair_problems(pairs, path.name)
    said = no_annotations()
    if options.labelled:
        if "annotator" not in table.columns:
            table["annotator"] = "file"
        said, found = annotations_from(table, path.name, options.positive, options.negative)
        names = options.columns or {}
        problems += [
            replace(problem, column=names.get(str(problem.column), problem.column)) for problem in found
        ]
        if not _any_whole_file(problems):
            problems += contradictions(said)
    return replace(_usable(pairs, said, path.name, problems, options), notes=notes)


def _usable(
    pairs: pd.DataFrame, said: pd.DataFrame, file: str, problems: list[Problem], options: _Options
) -> _Loaded:
    """Refuse the problems, or leave out their rows; then one row for each pair and each label."""
    import pandas as pd

    if problems and (options.bad_rows == "error" or _any_whole_file(problems)):
        raise PairsError(problems, advice=_advice(problems))
    bad = dict.fromkeys((problem.file, row) for problem in problems for row in problem.rows)
    if bad:
        pairs = pairs[~pairs.index.isin([row for at, row in bad if at == file])]
        said = said[~pd.MultiIndex.from_frame(said[["file", "row"]]).isin(list(bad))]
    n_repeated = int(said.duplicated(["pair_id", "annotator"]).sum())
    if file == PAIRS_FILE or not options.labelled:
        # Elsewhere, a pair that several people have labelled has a row for each of them.
        n_repeated += int(pairs.duplicated("pair_id").sum())
    pairs = pairs.drop_duplicates("pair_id").reset_index(drop=True)
    pairs = pairs.astype({name: np.float64 for name in NUMBER_COLUMNS if name in pairs.columns})
    said = said[among(said["pair_id"], pairs["pair_id"]) & said["label"].ne("").to_numpy()]
    columns = [*ANNOTATION_COLUMNS, *(name for name in DETAILS if said[name].ne("").any())]
    said = said.drop_duplicates(["pair_id", "annotator"])[columns].reset_index(drop=True)
    n_documents = sum(
        not (is_line(jd) and is_line(resume)) for jd, resume in zip(pairs["jd"], pairs["resume"], strict=True)
    )
    counts = {"bad_rows": len(bad), "repeated": n_repeated, "documents": n_documents}
    return _Loaded(pairs, said.astype({"label": np.int64}), counts, tuple(problems))


def _cleaned(table: pd.DataFrame) -> pd.DataFrame:
    """The table with values as text (a .parquet file's numbers stay) and clean texts."""
    import pandas as pd

    numeric = pd.api.types.is_numeric_dtype
    texts: dict[str, Any] = {
        str(name): as_text(table[name]).str.strip()
        for name in table.columns
        if name in (*PAIR_COLUMNS, *ANNOTATION_COLUMNS, *NUMBER_COLUMNS) or not numeric(table[name].dtype)
    }
    for name in ("jd", "resume"):
        texts[name] = clean_column(texts[name])
    return table.assign(**texts)


def _renamed(table: pd.DataFrame, columns: Mapping[str, str], file: str) -> pd.DataFrame:
    """The table with our names; a column that has one of them already makes way for the one that is meant."""
    if problems := missing_columns(table, columns.values(), file):
        raise PairsError(problems)
    in_the_way = {ours: f"{ours} (column)" for ours, theirs in columns.items() if ours != theirs}
    return table.rename(columns=in_the_way).rename(columns={theirs: ours for ours, theirs in columns.items()})


def _advice(problems: Sequence[Problem]) -> str:
    """What to do about rows; about a whole file, its problem says it."""
    if _any_whole_file(problems):
        return ""
    if drop := option("bad_rows", "drop"):
        return _("Mend the file, or pass {drop} to leave those rows out.").format(drop=drop)
    return _("Mend the file.")


def _any_whole_file(problems: Sequence[Problem]) -> bool:
    return any(not problem.rows for problem in problems)


def _refuse_grades(loaded: _Loaded, threshold: int | None) -> None:
    highest = loaded.annotations["label"].max() if len(loaded.annotations) else 0
    if highest > 1 and threshold is None:
        raise InputError(
            _(
                "The labels are grades up to {highest}; say from which on a pair is a match: {example}."
            ).format(
                highest=highest,
                example=option("threshold", 2) or options(positive=range(2, highest + 1), negative=(0, 1)),
            )
        )


def _warn(loaded: _Loaded, resolution: Resolution | None) -> None:
    """Say what was left out or changed; nothing is silently dropped."""
    said = losses(loaded.counts)
    for reason, n in (resolution.reasons if resolution else {}).items():
        sentence = ngettext("{n} pair dropped: {reason}.", "{n} pairs dropped: {reason}.", n)
        said.append(sentence.format(n=n, reason=_(reason)))
    said += [_("{note}.").format(note=note[:1].upper() + note[1:]) for note in loaded.notes]
    if said:
        lines = [" ".join(said), *bullets(loaded.problems, 5)]
        warnings.warn("\n".join(lines), PairsWarning, stacklevel=3)

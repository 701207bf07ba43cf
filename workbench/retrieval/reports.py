"""What adding to a knowledge base did, and what a knowledge base is: results to read, print and show."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.retrieval.records import FileTexts
from workbench.texts import Cleaned, CleaningReport

__all__ = ["AddReport", "FileReport", "KnowledgeBaseInfo", "report_of"]


@dataclass(frozen=True)
class FileReport:
    """What came of one file.

    Attributes
    ----------
    source : str
        Name of the file.
    n_input, added, already_there, duplicates, blank, cut : int
        As in :class:`AddReport`; a text that an earlier file has too is a duplicate.
    notes : tuple of str
        How it was read, where that was a choice (column, encoding), and what could not be.
    """

    source: str
    n_input: int
    added: int
    already_there: int
    duplicates: int
    blank: int
    cut: int
    notes: tuple[str, ...] = ()

    def summary(self, language: str = "en") -> str:
        """One line."""
        counts = _counts(self, language)
        return f"{self.source}: {counts}" + "".join(f"; {note}" for note in self.notes)


@dataclass(frozen=True)
class AddReport:
    """What adding did; ``n_input == added + already_there + duplicates + blank``.

    Attributes
    ----------
    n_input : int
        Texts that were given.
    added : int
        Texts that are new in the knowledge base.
    already_there : int
        Texts that the knowledge base had before; their new metadata was not taken.
    duplicates : int
        Texts that are the same as an earlier one of those given, once both are clean.
    blank : int
        Texts with nothing but white space.
    cut : int
        Texts that were too long and were cut, whether added or not.
    cleaning : CleaningReport
        Which texts were blank, duplicates, cut, or repaired.
    files : tuple of FileReport
        For each file; empty if texts were given.
    """

    n_input: int
    added: int
    already_there: int
    duplicates: int
    blank: int
    cut: int
    cleaning: CleaningReport = field(repr=False)
    files: tuple[FileReport, ...] = field(default=(), repr=False)

    def summary(self, language: str = "en") -> str:
        """One line, and one more for each file."""
        return "\n".join([_counts(self, language), *(f"  {file.summary(language)}" for file in self.files)])

    def to_dict(self) -> dict[str, Any]:
        """All of it, JSON-serialisable."""
        return asdict(self)

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        # File names are as untrusted as texts.
        return f"<pre>{escape(self.summary())}</pre>"


@dataclass(frozen=True)
class KnowledgeBaseInfo:
    """What a knowledge base is.

    Attributes
    ----------
    folder : str or None
        None for one in memory.
    n, dimension : int
        Texts, and values in a vector.
    encoder, fingerprint : str
        Encoder that the vectors came from.
    bytes : int
        Of texts, metadata and vectors together.
    index : str
        Which index is used, exact or approximate, or will be once it is built.
    recall : float or None
        Share of the best 5 that the approximate index found when it was built, on some of the
        vectors themselves; None where search is exact, or the index is not built.
    created, changed : str
        UTC, ISO 8601.
    """

    folder: str | None
    n: int
    dimension: int
    encoder: str
    fingerprint: str
    bytes: int
    index: str
    recall: float | None
    created: str
    changed: str

    def to_dict(self) -> dict[str, Any]:
        """All of it, JSON-serialisable."""
        return asdict(self)

    def _repr_html_(self) -> str:
        left = "style='text-align:left'"
        rows = "".join(
            f"<tr><th {left}>{name}</th><td {left}>{escape(str(value))}</td></tr>"
            for name, value in self.to_dict().items()
        )
        return f"<table>{rows}</table>"


def report_of(cleaned: Cleaned, added: Set[int], files: Sequence[FileTexts] = ()) -> AddReport:
    """The report of adding cleaned texts, of which those at the positions `added` were new."""
    flags = _flags(cleaned, added)
    starts = np.cumsum([0, *(len(file.texts) for file in files)]).tolist()
    reports = tuple(
        FileReport(file.source, len(file.texts), **_counted(flags, start, end), notes=file.notes)
        for file, start, end in zip(files, starts, starts[1:], strict=False)
    )
    n = cleaned.report.n_input
    return AddReport(n, **_counted(flags, 0, n), cleaning=cleaned.report, files=reports)


def _flags(cleaned: Cleaned, added: Set[int]) -> dict[str, npt.NDArray[np.bool_]]:
    """For each count, which of the texts given belong to it."""
    report = cleaned.report
    positions = {
        "added": added,
        "already_there": set(cleaned.positions) - added,
        "duplicates": [duplicate.position for duplicate in report.duplicates],
        "blank": report.blank,
        "cut": [cut.position for cut in report.cut],
    }
    flags = {name: np.zeros(report.n_input, dtype=np.bool_) for name in positions}
    for name, at in positions.items():
        flags[name][list(at)] = True
    return flags


def _counted(flags: dict[str, npt.NDArray[np.bool_]], start: int, end: int) -> dict[str, int]:
    return {name: int(flag[start:end].sum()) for name, flag in flags.items()}


def _counts(report: AddReport | FileReport, language: str) -> str:
    zh = language == "zh"
    shown = [
        (report.already_there, "条已在库中" if zh else "already there"),
        (report.duplicates, "条重复" if zh else "duplicate"),
        (report.blank, "条空白" if zh else "blank"),
        (report.cut, "条过长已截断" if zh else "cut"),
    ]
    head = (
        f"新增 {report.added} 条（共 {report.n_input} 条）"
        if zh
        else f"{report.added} of {report.n_input} added"
    )
    return ("，" if zh else ", ").join([head, *(f"{count} {what}" for count, what in shown if count)])

"""Adding to a knowledge base, and encoding it again: encode outside the lock, write what is new inside.

Here, too, is what a knowledge base asks of its encoder, and the report of what adding did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.asking import with_option
from workbench.encoders import Encoder, Role, StoredEncoder, Vectors, load_encoder
from workbench.errors import (
    EncoderError,
    EncoderMismatchError,
    EncoderUnavailableError,
    InputError,
    StoreError,
)
from workbench.html import render
from workbench.i18n import gettext as _
from workbench.i18n import listed
from workbench.results import Result
from workbench.retrieval.index import check_vectors
from workbench.retrieval.parts import Parts, places_of
from workbench.retrieval.records import FilesRead, Record, Records
from workbench.retrieval.storage import Contents, Store
from workbench.text_encoder import whole_vectors
from workbench.texts import Cleaned, CleaningReport, clean

if TYPE_CHECKING:
    from workbench.documents.reading import Unread


# More files than these are only told of where there is something to tell.
MOST_FILES = 10


@dataclass(frozen=True)
class Counts(Result):
    """What became of texts; ``n_input == added + already_there + duplicates + blank``.

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
    """

    n_input: int
    added: int
    already_there: int
    duplicates: int
    blank: int

    def summary(self) -> str:
        """One line."""
        counts = [
            (self.already_there, _("{n} already there")),
            (self.duplicates, _("{n} duplicate")),
            (self.blank, _("{n} blank")),
        ]
        head = _("{added} of {total} added").format(added=self.added, total=self.n_input)
        return listed([head, *(said.format(n=n) for n, said in counts if n)])


@dataclass(frozen=True)
class FileReport(Counts):
    """What came of one file; a text that an earlier file has too is a duplicate.

    Attributes
    ----------
    source : str
        Name of the file.
    notes : tuple of str
        How it was read, where that was a choice (column, encoding), and what could not be.
    """

    source: str
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """One line."""
        return "; ".join([f"{self.source}: {super().summary()}", *self.notes])


@dataclass(frozen=True)
class AddReport(Counts):
    """What adding did.

    Attributes
    ----------
    cleaning : CleaningReport
        Which texts were blank, duplicates, or repaired.
    files : tuple of FileReport
        For each file; empty if texts were given.
    unread : tuple of Unread
        Files, or places in them, that gave no text, each with its reason.
    """

    cleaning: CleaningReport = field(repr=False)
    files: tuple[FileReport, ...] = field(default=(), repr=False)
    unread: tuple[Unread, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        """One line, and one more for each file."""
        return "\n".join([self.summary(), *(f"  {line}" for line in self.lines())])

    def lines(self) -> list[str]:
        """A line for each file; of many files, for each of which there is something to tell."""
        told = [file for file in self.files if file.added < file.n_input or file.notes]
        files = self.files if len(self.files) <= MOST_FILES else told
        lines = [file.summary() for file in files]
        if len(lines) > MOST_FILES:
            lines = [*lines[:MOST_FILES], _("and {n} more").format(n=len(lines) - MOST_FILES)]
        return [*lines, *(each.summary() for each in self.unread)]

    def _repr_html_(self) -> str:
        return render("retrieval/lines.html", lines=str(self))


def add_new(
    store: Store,
    encoder: Encoder,
    items: list[str],
    records: list[Record],
    read: FilesRead,
    *,
    check: Callable[[Encoder], object],
    progress: bool | None = None,
) -> AddReport:
    """Clean texts, encode those that the store does not have, and add them with their records.

    `check` is called once no other process can write, and raises if the encoder is not the store's any
    more. `read` says which of the texts came from where.
    """
    cleaned = clean(items)
    new = _unknown(store, zip(cleaned.texts, cleaned.positions, strict=True))
    encoded = Contents(list(new), Records([]), *_vectors(encoder, list(new), progress))
    row_of = {text: row for row, text in enumerate(new)}
    with store.changing():
        # Another process may have added some of them, or re-encoded all, while we encoded.
        check(encoder)
        new = _unknown(store, new.items())
        if new:
            added = Records.of(records[position] for position in new.values())
            vectors, parts = encoded.vectors, encoded.parts
            # Nearly always all of them are still new, and need not be copied.
            if len(new) < len(encoded):
                rows = np.array([row_of[text] for text in new], dtype=np.intp)
                vectors, parts = vectors[rows], parts.only(rows)
            store.append(Contents(list(new), added, vectors, parts))
    _entrust(encoder, store, encoded.texts, encoded.parts)
    return _report(cleaned, set(new.values()), read)


def encode_again(store: Store, encoder: Encoder, spec: str | None) -> None:
    """Put vectors of another encoder, which loads by `spec`, in the place of all.

    Raises
    ------
    StoreError
        If another process has changed the store meanwhile.
    """
    state, old = store.state, store.contents
    vectors, parts = _vectors(encoder, old.texts)
    if isinstance(encoder, StoredEncoder) and store.folder:
        recorded = state.encoder
        # Somebody may want to go back; vectors that are damaged, or find no room, are not worth an error.
        with suppress(StoreError, InputError):
            encoder.store.put(
                recorded["fingerprint"], "document", old.texts, old.vectors, name=recorded["name"]
            )
    with store.changing():
        if store.state.revision != state.revision:
            raise StoreError(
                _(
                    "Another process has changed the knowledge base in {folder} while it was being encoded "
                    "again; nothing was changed here. Have it encoded once more."
                ).format(folder=store.address)
            )
        store.rewrite(Contents(old.texts, old.records, vectors, parts), encoder_entry(encoder, spec))
    _entrust(encoder, store, old.texts, parts)


def encoder_entry(encoder: Encoder, spec: str | None = None) -> dict[str, Any]:
    """What is recorded of an encoder.

    Parameters
    ----------
    encoder : Encoder
    spec : str, optional
        What :func:`workbench.load_encoder` takes to load it again; by default the encoder's name.
    """
    return {
        "name": encoder.name,
        "spec": spec or encoder.name,
        "dimension": encoder.dimension,
        "fingerprint": encoder.fingerprint,
        "recipe": dict(encoder.recipe),
    }


def encode(encoder: Encoder, texts: Sequence[str], role: Role, progress: bool | None = None) -> Vectors:
    """Vectors of texts, float32 of shape (n, d), known to be finite and of unit length; of all of each.

    Raises
    ------
    EncoderError
        If the encoder returned another shape, or vectors that cannot be compared.
    """
    run = encoder.encode_queries if role == "query" else encoder.encode_documents
    options = {} if progress is None else {"progress": progress}
    encoded = whole_vectors(run, texts, encoder, **options)
    vectors = np.asarray(encoded, dtype=np.float32)
    if vectors.shape != (len(texts), encoder.dimension):
        raise EncoderError(
            _(
                "The encoder {encoder} returned vectors of shape {shape} for {n} texts; expected {expected}."
            ).format(
                encoder=encoder.name,
                shape=vectors.shape,
                n=len(texts),
                expected=(len(texts), encoder.dimension),
            )
        )
    try:
        return check_vectors(vectors)
    except InputError as error:
        raise EncoderError(
            _("The encoder {encoder} returned vectors that cannot be used. {reason}").format(
                encoder=encoder.name, reason=error
            )
        ) from error


def _vectors(encoder: Encoder, texts: Sequence[str], progress: bool | None = None) -> tuple[Vectors, Parts]:
    """Vectors of texts, and of the parts of those that are whole documents."""
    places = {row: found for row, text in enumerate(texts) if (found := places_of(text))}
    said = [texts[row][start:end] for row, found in places.items() for start, end in found]
    vectors = encode(encoder, texts, "document", progress)
    if not said:
        return vectors, Parts.of([], encoder.dimension)
    of_parts, ends = encode(encoder, said, "document", progress), np.cumsum([*map(len, places.values())])
    each = zip(places.items(), np.split(of_parts, ends[:-1]), strict=True)
    return vectors, Parts.of(
        [(row, np.array(found, dtype=np.int64), some) for (row, found), some in each], encoder.dimension
    )


def check_same(encoder: Encoder, recorded: Mapping[str, Any], address: str | None, n: int) -> None:
    """Refuse an encoder whose vectors cannot be compared with the `n` that are there.

    `recorded` is what :func:`encoder_entry` made.

    Raises
    ------
    EncoderMismatchError
        If the fingerprints differ.
    """
    if encoder.fingerprint != recorded["fingerprint"]:
        said = _(
            "{knowledge_base} was built with {recorded}, not with {encoder}; vectors of the two cannot be "
            "compared. Use the encoder it was built with, or have its {n} texts encoded again."
        ).format(
            knowledge_base=_named(address),
            recorded=f"{recorded['name']} [{recorded['fingerprint']}]",
            encoder=f"{encoder.name} [{encoder.fingerprint}]",
            n=f"{n:,}",
        )
        raise EncoderMismatchError(with_option(said, "reencode", True))


def load_recorded(recorded: Mapping[str, Any], address: str | None) -> Encoder:
    """Load the encoder that a knowledge base was built with.

    Raises
    ------
    EncoderUnavailableError
        If it cannot be loaded here.
    """
    try:
        return load_encoder(recorded["spec"])
    except EncoderUnavailableError as error:
        raise EncoderUnavailableError(
            _(
                "{knowledge_base} was built with {recorded}, which could not be loaded as {spec}: {reason} "
                "If you can load it yourself, pass it: KnowledgeBase.open(folder, encoder)."
            ).format(
                knowledge_base=_named(address),
                recorded=f"{recorded['name']} [{recorded['fingerprint']}]",
                spec=repr(recorded["spec"]),
                reason=error,
            )
        ) from error


def _named(address: str | None) -> str:
    return _("The knowledge base in {folder}").format(folder=address) if address else _("The knowledge base")


def _unknown(store: Store, texts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Those texts that are not in the store, with their position."""
    given = dict(texts)
    known = store.known(given)
    return {text: position for text, position in given.items() if text not in known}


def _entrust(encoder: Encoder, store: Store, texts: list[str], parts: Parts) -> None:
    """Have the embedding store leave vectors to the knowledge base, where they are on disk by now."""
    if not isinstance(encoder, StoredEncoder) or store.folder is None:
        return
    said = [texts[row][start:end] for row, places, _vectors in parts for start, end in places.tolist()]
    # If it fails, they are there twice until it succeeds.
    with suppress(StoreError):
        if encoder.store.entrust(encoder.fingerprint, [*texts, *said], store.folder):
            encoder.store.entrust(encoder.fingerprint, store.contents.texts, store.folder)


def _report(cleaned: Cleaned, added: Set[int], read: FilesRead) -> AddReport:
    """The report of adding cleaned texts, of which those at the positions `added` were new."""
    report = cleaned.report
    became = {
        **dict.fromkeys(cleaned.positions, "already_there"),
        **dict.fromkeys(added, "added"),
        **dict.fromkeys([duplicate.position for duplicate in report.duplicates], "duplicates"),
        **dict.fromkeys(report.blank, "blank"),
    }

    def counts(positions: range) -> dict[str, int]:
        found = Counter(became[position] for position in positions)
        names = ("added", "already_there", "duplicates", "blank")
        return {name: found[name] for name in names}

    reports, start = [], 0
    for file in read.files:
        end = start + len(file.texts)
        reports.append(
            FileReport(len(file.texts), **counts(range(start, end)), source=file.source, notes=file.notes)
        )
        start = end
    n = report.n_input
    return AddReport(n, **counts(range(n)), cleaning=report, files=tuple(reports), unread=read.unread)

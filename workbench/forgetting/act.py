"""Forgetting a person: texts, vectors, labels, decisions and reports are erased, and proven to be.

What is to go is found first, and noted as salted hashes, never as a text; then each place erases what bears
one of them. So what a killed process has begun is completed by the next, which knows no text.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from workbench.atomic import no_longer_written, write_whole, written
from workbench.decision_log import DecisionLog, document_id
from workbench.documents.document import Document
from workbench.encoders.lookup import text_key
from workbench.encoders.store import EmbeddingStore
from workbench.errors import InputError, MissingDependencyError, WorkbenchError
from workbench.files.finding import forms_of, holds
from workbench.forgetting.places import (
    Gone,
    Places,
    delete,
    documents_in,
    erase_from_set,
    names_in,
    tables_in,
    texts_in,
)
from workbench.i18n import gettext as _
from workbench.results import Result
from workbench.settings import JOURNAL, get_settings
from workbench.text_encoder import pieces_of
from workbench.texts import tidy, tidy_lines

__all__ = ["Forgotten", "complete", "forget"]


# Bytes of a line that tells whose it is; Chinese takes three a character.
TELLING = 24
# Characters of a text that is explained by leaving out its phrases, one after the other.
EXPLAINED = 1200
# Tokens that encoders read at once: longer texts are encoded in pieces.
LIMITS = (None, 128, 256, 384, 512, 1024, 2048, 4096, 8192, 32_768)


@dataclass(frozen=True)
class Forgotten(Result):
    """What was erased, and what was not.

    Attributes
    ----------
    erased : mapping of str to int
        How many texts, vectors, scores, labels or lines, by file or folder; 1 for a file that is gone.
    still_there : tuple of str
        Files in which the text, its hash or its vector still stands: none of the workbench's, or the person's
        lines are those of others too.
    unfinished : tuple of str
        Why places could not be cleaned; the next command tries again.
    n_files : int
        Whose bytes were searched for the proof.
    """

    erased: Mapping[str, int]
    still_there: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    n_files: int = 0

    @property
    def is_proven(self) -> bool:
        """Whether nothing is left where the workbench can look."""
        return not self.still_there and not self.unfinished

    def sentences(self) -> list[str]:
        """What was erased, what is left, and what cannot be reached, a line each."""
        said = [f"{place}: {n}" for place, n in self.erased.items()]
        said += [
            _("Still in {file}: look at it, and delete it yourself.").format(file=file)
            for file in self.still_there
        ]
        said += [_("Not finished: {reason}").format(reason=reason) for reason in self.unfinished]
        if self.is_proven and self.n_files:
            said.append(
                _("Searched {n} files: neither the text nor its hash nor its vector is left.").format(
                    n=self.n_files
                )
            )
        said.append(
            _(
                "Out of reach: your own originals, backups, copies and exports that were moved or sent, "
                "pictures of figures, the history of git, snapshots and unused blocks of the disk, and "
                "servers that the text was sent to. Cards and counts that rest on erased labels keep their "
                "numbers."
            )
        )
        return said

    def __str__(self) -> str:
        return "\n".join(self.sentences())


def forget(
    text: str | None = None,
    *,
    file: str | Path | None = None,
    person: str | None = None,
    folders: Sequence[str | Path] = (),
    dry_run: bool = False,
) -> Forgotten:
    """Erase a person's texts and vectors wherever the workbench has written them, and prove it.

    Texts go that hold the one that is given, and those that are one of its lines; with the vectors of all of
    them and of their parts, their labels and decisions, and whole reports and exports that show them.

    Parameters
    ----------
    text : str, optional
        Or the beginning or any other piece of it, such as a telephone number.
    file : str or Path, optional
        Whose texts are meant, read as :meth:`KnowledgeBase.add_files` does. It is not deleted.
    person : str, optional
        An id: what metadata or tables have as ``resume_id``, ``candidate_id``, ``person_id``, ``candidate``,
        ``person`` or ``id``; or the name of the file that a text came from, with its suffix or without.
    folders : sequence of str or Path
        Where to look too: knowledge bases, labelled sets and logs that were moved.
    dry_run : bool
        Only say what would be erased.

    Raises
    ------
    InputError
        If nothing is given, or a file cannot be read.
    """
    given = [*_given(text, file)]
    if (person is not None and not person.strip()) or not (given or person):
        raise InputError(_("Say whom to forget: a text, a file, or a person's id."))
    complete()
    places = Places.known(folders)
    found = _Found(given, person)
    found.look(places)
    if found.texts > {*given}:
        # Of whole texts that were found, the lines too may stand by themselves.
        found = _Found([*found.texts], person)
        found.look(places)
    if dry_run:
        return Forgotten(dict(found.counts))
    journal = found.journal(folders)
    write_whole(get_settings().cache_dir / JOURNAL, json.dumps(journal))
    gone = _marked(journal)
    counts, unfinished = _erase(places, gone)
    if not unfinished:
        _done(gone)
    still_there, files, wanted = [], [*Places.known(folders).files()], found.wanted()
    for path in files:
        try:
            if holds(path, wanted):
                still_there.append(str(path))
        except OSError as error:
            unfinished.append(_("{file} cannot be searched ({error}).").format(file=path, error=error))
    return Forgotten(counts, tuple(still_there), tuple(unfinished), len(files))


def complete() -> list[str]:
    """Complete what a killed process has begun to forget; the reasons why it is still not finished."""
    try:
        journal = json.loads((get_settings().cache_dir / JOURNAL).read_bytes())
    except FileNotFoundError:
        return []
    gone = _marked(journal)
    _counts, unfinished = _erase(Places.known(journal["folders"]), gone)
    if not unfinished:
        _done(gone)
    return unfinished


def _done(gone: Gone) -> None:
    def erased(path: Path) -> bool:
        return gone("file", str(path)) or gone("set", str(path.parent.parent), path.stem)

    no_longer_written({path for path in written() if erased(path) and not path.exists()})
    (get_settings().cache_dir / JOURNAL).unlink(missing_ok=True)


def _given(text: str | None, file: str | Path | None) -> Iterator[str]:
    if text is not None:
        if not tidy(text):
            raise InputError(_("The text to forget is blank."))
        yield text
    if file is not None:
        from workbench.retrieval.readers import read_files

        yield from read_files(file, how="one").texts


@dataclass
class _Found:
    """What is to go: texts, names by their place, files; and what other people's texts are."""

    given: Sequence[str]
    person: str | None
    texts: set[str] = field(default_factory=set)
    names: set[tuple[str, ...]] = field(default_factory=set)
    files: set[Path] = field(default_factory=set)
    vectors: list[bytes] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    others: set[str] = field(default_factory=set)

    def look(self, places: Places) -> None:
        """Find all of it."""
        self._whole = [tidy(text) for text in self.given]
        self._lines = {tidy(line) for text in self.given for line in text.splitlines()}
        self.texts |= {*self.given}
        if self.person is not None:
            self.names.add(("log", self.person))
        for folder in places.bases:
            with suppress(WorkbenchError):
                self._in_base(folder)
        for folder in places.sets:
            self._in_set(folder)
        gone = _marked(self.journal(()))
        store = get_settings().store_path
        if store.exists():
            with EmbeddingStore(store) as vectors:
                self._count(
                    store, len(vectors.vectors_of(lambda key: gone("text", key) or gone("piece", key)))
                )
                self.vectors += vectors.vectors_of(lambda key: gone("text", key))
        for log in places.logs:
            with suppress(WorkbenchError):
                rows = DecisionLog(log).read().itertuples()
                self._count(log, sum(gone("log", row.jd_id) or gone("log", row.resume_id) for row in rows))
        wanted, names = self.wanted(), [self.person] if self.person and _names_one(self.person) else []
        for path in places.outputs:
            with suppress(OSError):
                if holds(path, wanted, names):
                    self.files.add(path)
                    self._count(path, 1)

    def journal(self, folders: Iterable[str | Path]) -> dict[str, Any]:
        """All of it as hashes, against which nobody can test a text without their salt."""
        salt = secrets.token_hex(16)
        whole = {version for text in self.texts for version in (text, tidy(text), tidy_lines(text))}
        marks = {_mark(salt, "text", text_key(text)) for text in whole}
        marks |= {_mark(salt, "piece", text_key(piece)) for text in whole for piece in _pieces(text)}
        marks |= {_mark(salt, "log", document_id(text)) for text in whole}
        marks |= {_mark(salt, *name) for name in self.names}
        marks |= {_mark(salt, "file", str(path)) for path in self.files}
        return {
            "salt": salt,
            "marks": sorted(marks),
            "folders": [str(Path(each).absolute()) for each in folders],
        }

    def wanted(self) -> set[bytes]:
        """What tells of the person in a file: texts, lines that are nobody else's too, keys, vectors."""
        lines = {tidy(line) for text in self.texts for line in text.splitlines()}
        others = "\n".join(self.others)
        wanted = forms_of({*self._whole, *(line for line in lines if _tells(line) and line not in others)})
        for key in map(text_key, self.texts):
            wanted |= {key, key.hex()[:16].encode()}
        for vector in self.vectors:
            parts = (vector[at : at + 64] for at in (0, len(vector) // 2, len(vector) - 64))
            # A vector of nearly nothing but zeros is like others.
            wanted |= {part for part in parts if len({*part}) > 16}
        return wanted

    def _means(self, text: str) -> bool:
        """Whether a text is one that is meant: it holds what is given, or is a line of it."""
        text = tidy(text)
        return any(whole in text for whole in self._whole) or (_tells(text) and text in self._lines)

    def _take(
        self, texts: Iterable[str], names: Iterable[str], kinds: Iterable[tuple[str, ...]], place: Path
    ) -> None:
        self.texts |= {*texts}
        self.names |= {(*kind, name) for kind in kinds for name in names}
        self._count(place, 1)

    def _count(self, place: Path, n: int) -> None:
        if n:
            self.counts[str(place)] += n

    def _in_base(self, folder: Path) -> None:
        from workbench.retrieval.folder_store import FolderStore

        contents = FolderStore(folder).contents
        for row, (text, record) in enumerate(zip(contents.texts, contents.records, strict=True)):
            if self.person in (names := names_in(record)) or self._means(text):
                self._take([text], names, [("log",)], folder)
                self.vectors.append(contents.vectors[row].tobytes())
            else:
                self.others.add(tidy(text))

    def _in_set(self, folder: Path) -> None:
        kinds = [("log",), ("set", str(folder))]
        for path, table in tables_in(folder):
            for row in table.to_dict("records"):
                texts, names = texts_in(row), names_in(row)
                meant = [text for text in texts if self._means(text)]
                if self.person in names:
                    meant = texts[-1:]  # the résumé
                if meant or self.person in names:
                    self._take(meant, names, kinds, path)
                self.others |= {tidy(text) for text in texts if text not in meant}
        for name, text in documents_in(folder):
            if name == self.person or self._means(text):
                self._take([text], [name], kinds, folder)
            else:
                self.others.add(tidy(text))


def _erase(places: Places, gone: Gone) -> tuple[dict[str, int], list[str]]:
    """Have each place erase what is marked; how many, and the reasons why one could not."""
    from workbench.retrieval.folder_store import FolderStore
    from workbench.scorers.rerank_store import RerankStore

    settings = get_settings()
    store, scores = settings.store_path, settings.rerank_store_path

    def text(key: bytes) -> bool:
        return gone("text", key)

    def piece(key: bytes) -> bool:
        return gone("text", key) or gone("piece", key)

    acts: list[tuple[Path, Callable[[], int]]] = []
    if store.exists():
        acts.append((store, lambda: _closed(EmbeddingStore(store), piece)))
    if scores.exists():
        acts.append((scores, lambda: RerankStore(scores).forget(piece)))
    acts += [(folder, partial(lambda at: FolderStore(at).forget(text), folder)) for folder in places.bases]
    acts += [(folder, partial(erase_from_set, folder, gone)) for folder in places.sets]
    acts += [(log, partial(DecisionLog(log).forget, partial(gone, "log"))) for log in places.logs]
    acts += [(path, partial(delete, path)) for path in places.outputs if gone("file", str(path))]
    counts, unfinished = {}, []
    for place, act in acts:
        try:
            if n := act():
                counts[str(place)] = n
        except (WorkbenchError, OSError) as error:
            unfinished.append(f"{place}: {error}")
    return counts, unfinished


def _closed(store: EmbeddingStore, gone: Gone) -> int:
    with store:
        return store.forget(gone)


def _pieces(text: str) -> Iterator[str]:
    """Whatever of a text is encoded by itself, or with something left out."""
    from workbench.exploration.phrases import phrases_of, without
    from workbench.retrieval.parts import places_of
    from workbench.scorers.relative import said_by
    from workbench.scorers.windows import windows_of

    yield from (text[start:end] for start, end in places_of(text))
    for side in ("jd", "resume"):
        yield from (part.text for part in Document("", text, side=side).parts)
        yield from windows_of(said_by(text, side))
    for limit in LIMITS:
        yield from pieces_of(text, limit)
    if len(text) <= EXPLAINED:
        # Without jieba nobody has ever left out a phrase.
        with suppress(MissingDependencyError):
            yield from (without(text, [phrase]) for phrase in phrases_of(text))


def _tells(line: str) -> bool:
    return len(line.encode("utf-8", "replace")) >= TELLING


def _mark(salt: str, *what: str | bytes) -> str:
    parts = (each.encode("utf-8", "surrogatepass") if isinstance(each, str) else each for each in what)
    return hashlib.blake2b(b"\0".join(parts), key=bytes.fromhex(salt), digest_size=16).hexdigest()


def _marked(journal: Mapping[str, Any]) -> Gone:
    marks, salt = frozenset(journal["marks"]), journal["salt"]
    return lambda *what: _mark(salt, *what) in marks


def _names_one(name: str) -> bool:
    """Whether a name can be told in a text: 17 stands in many that are not about number 17."""
    return (len(name.encode()) > 2 and any(map(str.isalpha, name))) or len(name) > 5

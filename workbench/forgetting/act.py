"""Forgetting a person: texts, vectors, labels, decisions and reports are erased, and proven to be.

What is to go is found first, and noted as salted hashes, never as a text; then each place erases what bears
one of them. So what a killed process has begun is completed by the next, which knows no text.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from warnings import catch_warnings

from workbench.atomic import no_longer_written, only_writer, remove_left, write_whole, written
from workbench.decision_log import DecisionLog, document_id
from workbench.documents.document import Document
from workbench.encoders.lookup import text_key
from workbench.encoders.store import EmbeddingStore
from workbench.errors import InputError, LogWarning, MissingDependencyError, StoreError, WorkbenchError
from workbench.files.finding import forms_of, holds
from workbench.forgetting.places import Places, delete, erase_from_set
from workbench.i18n import gettext as _
from workbench.results import Result
from workbench.settings import JOURNAL, get_settings
from workbench.text_encoder import pieces_of
from workbench.texts import tidy, tidy_lines

# Bytes of a line that tells whose it is; Chinese takes three a character.
TELLING = 24
# Characters of a text that is explained by leaving out its phrases, one after the other.
EXPLAINED = 1200
# Tokens that encoders read at once: longer texts are encoded in pieces.
LIMITS = (None, 128, 256, 384, 512, 1024, 2048, 4096, 8192, 32_768)
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".pdf", ".eps", ".ps")


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
    pictures : tuple of str
        Those among them in which a text could not be found.
    """

    erased: Mapping[str, int]
    still_there: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    n_files: int = 0
    pictures: tuple[str, ...] = ()

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
        said += [
            _("A picture, in which no text can be searched: look at {file} yourself.").format(file=file)
            for file in self.pictures
        ]
        if self.is_proven and self.n_files:
            said.append(
                _("Searched {n} files: neither the text nor its hash nor its vector is left.").format(
                    n=self.n_files
                )
            )
        said.append(
            _(
                "Out of reach: your own originals, backups, copies and exports that were moved or sent, "
                "what pictures show, pages and notebooks that are open, the history of git, snapshots and "
                "unused blocks of the disk, and servers that the text was sent to. Cards and counts that "
                "rest on erased labels keep their numbers."
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
    with only_writer(_journal()):
        _complete()
        before = _Noted.read()
        looked = [*before.folders, *(str(Path(each).absolute()) for each in folders)]
        places = Places.known(looked)
        found = _Found(given, person, places)
        if found.texts > {*given}:
            # Of whole texts that were found, the lines too may stand by themselves.
            found = _Found([*found.texts], person, places)
        if dry_run:
            return Forgotten(dict(found.counts))
        noted = _Noted(before.salt, before.marks | found.marks(before.salt), looked)
        noted.write()
        counts, unfinished = _erase(places, noted)
    still_there, files, wanted = [], [*Places.known(looked).files()], found.wanted()
    for path in files:
        try:
            if holds(path, wanted):
                still_there.append(str(path))
        except OSError as error:
            unfinished.append(_("{file} cannot be searched ({error}).").format(file=path, error=error))
    pictures = tuple(str(path) for path in files if path.suffix.lower() in PICTURES)
    return Forgotten(counts, tuple(still_there), tuple(unfinished), len(files), pictures)


def complete() -> list[str]:
    """Complete what a killed process has begun to forget; the reasons why it is still not finished."""
    try:
        with only_writer(_journal(), 0):
            return _complete()
    except StoreError as error:
        return [str(error)]


def _complete() -> list[str]:
    if not _journal().exists():
        return []
    noted = _Noted.read()
    if not noted.marks:
        return [_("{file} is damaged; say again whom to forget.").format(file=_journal())]
    return _erase(Places.known(noted.folders), noted)[1]


def _journal() -> Path:
    return get_settings().cache_dir / JOURNAL


@dataclass(frozen=True)
class _Noted:
    """What is to go, as hashes against which nobody can test a text without their salt; and where to look."""

    salt: str
    marks: Set[str]
    folders: Sequence[str]

    @classmethod
    def read(cls) -> _Noted:
        """What is noted; nothing where nothing is, or it is damaged."""
        try:
            noted = json.loads(_journal().read_bytes())
            return cls(noted["salt"], {*noted["marks"]}, noted["folders"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return cls(secrets.token_hex(16), set(), [])

    def write(self) -> None:
        noted = {"salt": self.salt, "marks": sorted(self.marks), "folders": self.folders}
        write_whole(_journal(), json.dumps(noted))

    def __call__(self, *what: str | bytes) -> bool:
        """Whether what is named by its kind, perhaps its place, and a key or name is to go."""
        return _mark(self.salt, *what) in self.marks


def _given(text: str | None, file: str | Path | None) -> Iterator[str]:
    if text is not None:
        if not tidy(text):
            raise InputError(_("The text to forget is blank."))
        yield text
    if file is not None:
        from workbench.retrieval.readers import read_files

        yield from read_files(file, how="one").texts


class _Found:
    """What is to go: texts, names by their place, files; and what other people's texts are."""

    def __init__(self, given: Sequence[str], person: str | None, places: Places) -> None:
        self.texts, self.others = {*given}, set[str]()
        self.names = {("log", person)} if person else set[tuple[str, ...]]()
        self.files, self.vectors, self.counts = set[Path](), list[bytes](), Counter[str]()
        self._whole = [tidy(text) for text in given]
        self._lines = {tidy(line) for text in given for line in text.splitlines()}
        for held in places.holdings():
            meant = [text for text in held.texts if self._means(text)]
            if named := person in held.names:
                meant = held.texts[-1:]  # of a pair the résumé
            if meant or named:
                self.texts |= {*meant}
                self.names |= {(*kind, name) for kind in held.kinds for name in held.names}
                self.vectors += [vector.tobytes() for vector in held.vectors]
                self.counts[str(held.place)] += 1
            self.others |= {tidy(text) for text in held.texts if text not in meant}
        self._in_files(places, [person] if person and _names_one(person) else [])

    def _in_files(self, places: Places, names: Sequence[str]) -> None:
        salt = secrets.token_hex(16)
        gone = _Noted(salt, self.marks(salt), ())
        store = get_settings().store_path
        if store.exists():
            with EmbeddingStore(store) as vectors:
                self.counts[str(store)] += len(vectors.vectors_of(partial(gone, "piece")))
                self.vectors += vectors.vectors_of(partial(gone, "text"))
        for log in places.logs:
            # Half lines go, too.
            with suppress(WorkbenchError), catch_warnings(action="ignore", category=LogWarning):
                for row in DecisionLog(log).read().itertuples():
                    self.counts[str(log)] += gone("log", str(row.jd_id)) or gone("log", str(row.resume_id))
        wanted = self.wanted()
        for path in places.outputs:
            with suppress(OSError):
                if holds(path, wanted, names):
                    self.files.add(path)
                    self.counts[str(path)] += 1
        self.counts = +self.counts

    def marks(self, salt: str) -> set[str]:
        """All of it as hashes."""
        whole = {version for text in self.texts for version in (text, tidy(text), tidy_lines(text))}
        pieces = whole.union(*map(_pieces, whole))
        marks = {_mark(salt, "text", text_key(text)) for text in whole}
        marks |= {_mark(salt, "piece", text_key(text)) for text in pieces}
        marks |= {_mark(salt, "log", document_id(text)) for text in whole}
        marks |= {_mark(salt, *name) for name in self.names}
        return marks | {_mark(salt, "file", str(path)) for path in self.files}

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


def _erase(places: Places, gone: _Noted) -> tuple[dict[str, int], list[str]]:
    """Have each place erase what is marked; how many, and the reasons why one could not."""
    from workbench.retrieval.choosing import stores_in
    from workbench.scorers.rerank_store import RerankStore

    settings, text, piece = get_settings(), partial(gone, "text"), partial(gone, "piece")
    store, scores = settings.store_path, settings.rerank_store_path
    acts: list[tuple[Path, Callable[[], int]]] = []
    if store.exists():
        acts.append((store, lambda: _closed(EmbeddingStore(store), piece)))
    if scores.exists():
        acts.append((scores, lambda: RerankStore(scores).forget(piece)))
    acts += [
        (at, partial(lambda at: sum(each.forget(text) for each in stores_in(at)), at)) for at in places.bases
    ]
    acts += [(at, partial(erase_from_set, at, gone)) for at in places.sets]
    acts += [(log, partial(DecisionLog(log).forget, partial(gone, "log"))) for log in places.logs]
    acts += [(path, partial(delete, path)) for path in places.outputs if gone("file", str(path))]
    counts, unfinished = {}, []
    for place, act in acts:
        try:
            if n := act():
                counts[str(place)] = n
        except (WorkbenchError, OSError) as error:
            unfinished.append(f"{place}: {error}")
    # What killed processes have unpacked or were given by visitors, whosever it is.
    remove_left()
    if not unfinished:
        left = {path for path in written() if not path.exists()}
        no_longer_written(
            {at for at in left if gone("file", str(at)) or gone("set", str(at.parent.parent), at.stem)}
        )
        _journal().unlink(missing_ok=True)
    return counts, unfinished


def _closed(store: EmbeddingStore, gone: Callable[[bytes], bool]) -> int:
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


def _names_one(name: str) -> bool:
    """Whether a name can be told in a text: 17 stands in many that are not about number 17."""
    return (len(name.encode()) > 2 and any(map(str.isalpha, name))) or len(name) > 5

"""The encoder protocol, the base class that does what all encoders share, and what a text costs.

The base class checks the input, shows progress, checks that vectors are finite and makes rows unit
length, so that an encoder in a file of its own only says how a batch becomes vectors.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any, Literal, Protocol, cast, runtime_checkable

import numpy as np
import numpy.typing as npt

from workbench.errors import EncoderError, InputError
from workbench.i18n import gettext as _
from workbench.i18n import ngettext
from workbench.progress import SHORT, progress_bar
from workbench.texts import kind_of

Role = Literal["query", "document"]
Vectors = npt.NDArray[np.float32]
Batch = tuple[npt.NDArray[np.intp], Vectors]

# Texts encoded between two looks at the clock: enough for a batch to be worth while.
AT_ONCE = 64


@runtime_checkable
class Encoder(Protocol):
    """Anything that turns texts into unit vectors and can say which vectors those are.

    Attributes
    ----------
    name : str
        Short name for people, such as ``"use"`` or ``"qwen3-4b"``.
    dimension : int
        Length of a vector.
    instruction : str or None
        Task text that queries carry, if any.
    recipe : mapping
        All that changes a vector: model, revision, instruction, dimension, pooling, precision.
    fingerprint : str
        Short hash of the recipe. Vectors of equal fingerprints may be compared; others may not.
    device : str
        Where it runs: ``"cpu"``, ``"cuda:0"`` or the address of a server.
    """

    @property
    def name(self) -> str: ...
    @property
    def dimension(self) -> int: ...
    @property
    def instruction(self) -> str | None: ...
    @property
    def recipe(self) -> Mapping[str, Any]: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def device(self) -> str: ...

    def encode_documents(self, texts: Sequence[str], *, progress: bool | None = None) -> Vectors:
        """Encode JDs or other knowledge-base texts; float32 ``(n, dimension)``, unit rows."""

    def encode_queries(self, texts: Sequence[str], *, progress: bool | None = None) -> Vectors:
        """Encode résumé texts or other queries; float32 ``(n, dimension)``, unit rows."""


class BaseEncoder(ABC):
    """What all encoders share; a subclass gives the recipe and :meth:`encode_batches`."""

    instruction: str | None = None
    device: str = "cpu"
    # Encoding that is cheaper than reading a stored vector back sets this to False.
    worth_storing: bool = True
    # Why this encoder was taken, where the workbench chose it ("auto").
    chosen_because: str | None = None

    @property
    @abstractmethod
    def name(self) -> str:
        """Short name for people."""

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    @abstractmethod
    def recipe(self) -> Mapping[str, Any]:
        """All that changes a vector, as JSON-serialisable values."""

    @abstractmethod
    def encode_batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        """Yield ``(positions, vectors)`` batch by batch, in any order, each position once.

        Texts are checked already; vectors need not be normalised. A caller may stop between two
        batches and keep those that it has.
        """

    @property
    def fingerprint(self) -> str:
        """Short hash of the recipe."""
        return fingerprint_of(self.recipe)

    def encode_documents(self, texts: Sequence[str], *, progress: bool | None = None) -> Vectors:
        """Encode knowledge-base texts.

        Parameters
        ----------
        texts : sequence of str
            Not blank.
        progress : bool, optional
            Show a progress bar; by default for long tasks (see :class:`~workbench.settings.Settings`).

        Returns
        -------
        ndarray of float32, shape (n, dimension)
            Rows of unit length, in the order of `texts`.

        Raises
        ------
        InputError
            If `texts` is a single string, or an item is blank or not a string (with its position).
        EncoderError
            If a vector is not finite (with the text's position and the precision).
        """
        return self._encode(texts, "document", progress)

    def encode_queries(self, texts: Sequence[str], *, progress: bool | None = None) -> Vectors:
        """Encode queries; as :meth:`encode_documents`, with the instruction if there is one."""
        return self._encode(texts, "query", progress)

    def checked_batches(
        self, texts: Sequence[str], role: Role, *, places: Sequence[int] | None = None
    ) -> Iterator[Batch]:
        """As :meth:`encode_batches`, after checking texts, with finite rows of unit length.

        Where `texts` are a part of what a caller passed, `places` says for each where it stood, so
        that an error names that position.
        """
        check_texts(texts)
        for positions, vectors in self.encode_batches(texts, role):
            yield positions, self._unit_rows(vectors, positions, texts, places)

    def _encode(self, texts: Sequence[str], role: Role, progress: bool | None) -> Vectors:
        check_texts(texts)
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        if not len(texts):
            return vectors
        # Duplicates are encoded once; a row of `vectors` is one of the distinct texts until the end.
        distinct, rows = distinct_texts(texts)
        places = None if len(distinct) == len(texts) else np.unique(rows, return_index=True)[1].tolist()
        with progress_bar(len(distinct), self.name, progress, short=SHORT) as bar:
            for positions, batch in self.checked_batches(distinct, role, places=places):
                vectors[positions] = batch
                bar.update(len(positions))
        return vectors if places is None else vectors[rows]

    def _unit_rows(
        self,
        vectors: Vectors,
        positions: npt.NDArray[np.intp],
        texts: Sequence[str],
        places: Sequence[int] | None,
    ) -> Vectors:
        vectors = np.asarray(vectors, dtype=np.float32)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        bad = np.flatnonzero(~np.isfinite(norms[:, 0]) | (norms[:, 0] == 0))
        if len(bad):
            position = int(positions[bad[0]])
            raise EncoderError(
                ngettext(
                    "{name} ({precision}) gave {n} vector that is not finite or has no length, for text "
                    "{place}. Half precision can overflow: load the encoder in bfloat16 or float32.",
                    "{name} ({precision}) gave {n} vectors that are not finite or have no length, the first "
                    "for text {place}. Half precision can overflow: load the encoder in bfloat16 or float32.",
                    len(bad),
                ).format(
                    name=self.name,
                    precision=self.recipe.get("precision", "float32"),
                    n=len(bad),
                    place=position if places is None else places[position],
                )
            )
        unit: Vectors = vectors / norms
        return unit

    def __repr__(self) -> str:
        return _("<{name}: {dimension} dimensions on {device}, fingerprint {fingerprint}>").format(
            name=self.name, dimension=self.dimension, device=self.device, fingerprint=self.fingerprint
        )


def fingerprint_of(recipe: Mapping[str, Any]) -> str:
    """Hash of a recipe: the first 12 hexadecimal digits of SHA-256 over its canonical JSON."""
    canonical = json.dumps(dict(recipe), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def check_texts(texts: Sequence[str]) -> None:
    """Refuse a bare string, and items that are blank or not strings, with their position."""
    if isinstance(texts, str):
        raise InputError(_("Got one string where a list of texts was expected; pass [text]."))
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(
                _("Text {position} is {type}, not a string.").format(position=position, type=kind_of(text))
            )
        if not text.strip():
            raise InputError(
                _("Text {position} is blank; clean the texts first with workbench.clean().").format(
                    position=position
                )
            )
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InputError(
                _(
                    "Text {position} has half a surrogate pair, which no tokenizer can read; clean the texts "
                    "first with workbench.clean()."
                ).format(position=position)
            ) from None


def distinct_texts(texts: Sequence[str]) -> tuple[list[str], list[int]]:
    """Each text once, in the order of first places, and for each of `texts` its row among them.

    Examples
    --------
    >>> distinct_texts(["RAG", "Java", "RAG"])
    (['RAG', 'Java'], [0, 1, 0])
    """
    row_of: dict[str, int] = {}
    rows = [row_of.setdefault(text, len(row_of)) for text in texts]
    return list(row_of), rows


def milliseconds_a_text(
    encoder: Encoder, documents: Sequence[str], queries: Sequence[str] = (), *, seconds: float = 2.0
) -> float:
    """Mean time that a text takes, encoded afresh.

    The encoder is warm (a few texts are encoded before the clock starts), but no vector comes from the
    embedding store. It depends on the machine, on what else runs there, and on how long the texts are, so
    that encoders are to be compared on the same texts, one after another.

    Parameters
    ----------
    encoder : Encoder
        See :func:`~workbench.encoders.load_encoder`; one that keeps vectors in a store is asked directly.
    documents, queries : sequence of str
        Some texts of each side; each distinct one is encoded at most once.
    seconds : float
        After this time no further batch is begun.

    Returns
    -------
    float
        Milliseconds.

    Raises
    ------
    InputError
        If there are no texts.

    Examples
    --------
    >>> from workbench.encoders import load_encoder
    >>> 0 < milliseconds_a_text(load_encoder("keyword"), ["nurse", "Java developer"]) < 1000
    True
    """
    bare = cast(Encoder, getattr(encoder, "encoder", encoder))
    sides = [
        (encode, list(dict.fromkeys(texts)))
        for encode, texts in ((bare.encode_documents, documents), (bare.encode_queries, queries))
    ]
    if not any(texts for _, texts in sides):
        raise InputError(_("There are no texts to measure the time of."))
    for encode, texts in sides:
        if texts:
            encode(texts[:2], progress=False)
    taken, n = 0.0, 0
    longest = max(len(texts) for _, texts in sides)
    for start in range(0, longest, AT_ONCE):
        for encode, texts in sides:
            if batch := texts[start : start + AT_ONCE]:
                before = perf_counter()
                encode(batch, progress=False)
                taken, n = taken + perf_counter() - before, n + len(batch)
        if taken >= seconds:
            break
    return 1000 * taken / n

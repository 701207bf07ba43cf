"""Rows in Milvus: embedded (Milvus Lite, in a folder of its own) or on a server. Milvus finds near rows.

What it finds is compared again here, by the float32 vectors that it keeps, so that scores, order and phrases
are those of any other knowledge base; only what it does not find can differ. A knowledge base is two
collections: one of a single row, its state, and one in which a line is a row, and a whole document one more
for each of its parts. Rows count once the state speaks of them, so what a killed process leaves does not.
No text and no metadata is ever part of an expression: both are asked for by their hashes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.encoders.lookup import text_key
from workbench.errors import InputError, StoreError
from workbench.i18n import gettext as _
from workbench.retrieval.milvus_client import LINE, LONGEST, PART, PREFIX, WHOLE, Milvus, fact, rows_of
from workbench.retrieval.parts import Asked, Parts
from workbench.retrieval.records import Records, matching_rows, records_from
from workbench.retrieval.storage import Contents, State, Store, now

# Hits of a search: Milvus gives no more.
MOST_HITS = 16_384
# How widely the graph is searched.
WIDTH = 256
# Candidates beyond the k: rows of equal score, and what a graph finds in another order.
MORE = 10
# Bytes of vectors in one message; servers take 64 MB.
MESSAGE = 2**22
# Values in one expression.
FEW = 1000
FIELDS = ["id", "at", "kind", "start", "end", "text", "metadata", "vector"]

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Kept:
    """Which collection holds the rows, how many texts there are, and the next number for one."""

    collection: str
    n: int = 0
    next: int = 0


class MilvusStore(Store):
    """Rows in Milvus.

    Parameters
    ----------
    address : str
        See :class:`~workbench.retrieval.milvus_client.Milvus`.

    Raises
    ------
    StoreError
        If there is no knowledge base, or Milvus cannot be reached or refuses.
    """

    def __init__(self, address: str) -> None:
        self._milvus = Milvus(address)
        self._loaded: tuple[int, Contents] | None = None
        if not self.exists(address):
            raise StoreError(
                _(
                    "There is no knowledge base at {address}: check it, or make one with KnowledgeBase.open "
                    "or 'workbench kb add'."
                ).format(address=address)
            )
        self._milvus("load_collection", self._milvus.name)
        self.refresh()

    @classmethod
    def exists(cls, address: str) -> bool:
        """Whether there is a knowledge base."""
        milvus = Milvus(address)
        is_nowhere = milvus.folder is not None and not milvus.folder.exists()
        return not is_nowhere and bool(milvus("has_collection", milvus.name))

    @classmethod
    def create(cls, address: str, encoder: Mapping[str, Any]) -> MilvusStore:
        """An empty knowledge base; or the one that another process has made meanwhile."""
        milvus = Milvus(address)
        if not milvus("has_collection", milvus.name):
            milvus.make_rows(f"{milvus.name}__1", int(encoder["dimension"]))
            milvus.make_state()
            _write(milvus, State(encoder), Kept(f"{milvus.name}__1"))
        return cls(address)

    @classmethod
    def all_in(cls, folder: Path) -> list[MilvusStore]:
        """Those that Milvus Lite keeps in a folder."""
        names = Milvus(f"{PREFIX}{folder}")("list_collections")
        return [cls(f"{PREFIX}{folder}#{name}") for name in names if "__" not in name]

    @property
    def engine(self) -> str:  # type: ignore[override]
        return _("graph of {engine}; what it finds is scored exactly").format(engine=self._milvus.engine)

    @property
    def address(self) -> str:
        return self._milvus.address

    @property
    def n_bytes(self) -> int:
        return self._milvus.n_bytes or self._kept.next * self.state.dimension * 4

    def __len__(self) -> int:
        return self._kept.n

    @property
    def contents(self) -> Contents:  # type: ignore[override]
        """All rows, read now; searching does without."""
        if self._loaded is None or self._loaded[0] != self.state.revision:
            self._loaded = self.state.revision, self._contents(self._paged(FIELDS))
        return self._loaded[1]

    def refresh(self) -> None:
        self.state, self._kept = self._read()
        self._milvus("load_collection", self._kept.collection)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep other threads from writing; a server has no lock that would keep other processes from it.

        Raises
        ------
        StoreError
            If another process is found to have changed the rows meanwhile.
        """
        with self._milvus.lock:
            self.refresh()
            self._remove_debris()
            before = self.state, self._kept
            try:
                yield
            except BaseException:
                self.state, self._kept = before
                raise

    def known(self, texts: Collection[str]) -> Set[str]:
        self.refresh()
        keys = {text_key(text).hex(): text for text in texts}
        found = self._asked_for("key", [f'"{key}"' for key in keys], f"kind < {PART}", ["key"])
        return {keys[row["key"]] for row in found}

    def matching(self, where: Mapping[str, Any]) -> Rows:
        return self._rows_of(self._ats(self._expression(where)))

    def near(
        self, asked: Sequence[Asked], k: int, where: Mapping[str, Any] | None
    ) -> list[tuple[Contents, Rows]]:
        count = 2 * k + MORE
        if count > MOST_HITS:
            return super().near(asked, k, where)
        also = "" if where is None else f" and {self._expression(where)}"
        return [self._near(each, count, also) for each in asked]

    def append(self, more: Contents) -> None:
        start, n = self._kept.next, len(more)
        parts = {row: (places, vectors) for row, places, vectors in more.parts}
        rows: list[dict[str, Any]] = []
        for row, (text, kept) in enumerate(zip(more.texts, more.records.kept, strict=True)):
            if max(len(text.encode()), len(kept.encode())) > LONGEST:
                raise InputError(
                    _(
                        "Text {position} or its metadata has more than {most} bytes, the most that Milvus "
                        "keeps of one; nothing was added. Keep such documents in a folder."
                    ).format(position=row, most=f"{LONGEST:,}")
                )
            rows += rows_of(start + row, text, kept, more.vectors[row], parts.get(row))
        step = max(1, MESSAGE // (4 * self.state.dimension))
        for at in range(0, len(rows), step):
            self._milvus("insert", self._kept.collection, rows[at : at + step])
        self._keep(
            replace(self.state, changed=now(), revision=self.state.revision + 1),
            replace(self._kept, n=self._kept.n + n, next=start + n),
        )

    def rewrite(self, contents: Contents, encoder: Mapping[str, Any] | None = None) -> None:
        old, state = self._kept.collection, self.state.next_generation(encoder)
        collection = f"{self._milvus.name}__{int(old.rpartition('_')[2]) + 1}"
        self._milvus.make_rows(collection, state.dimension)
        self.state, self._kept = state, Kept(collection)
        self.append(contents)
        self._milvus("drop_collection", old)

    def remove(self, rows: Rows) -> None:
        """Remove rows; from a folder by writing the others anew, so that nothing of them is left in it."""
        if self._milvus.folder:
            super().remove(rows)
        else:
            self._remove(self._ats()[rows])

    def forget(self, gone: Callable[[bytes], bool]) -> int:
        """Erase texts, by their keys, with whatever killed processes have left of any; returns how many.

        A server erases bytes when it has compacted and collected its garbage, which is asked of it here.
        """
        with self.changing():
            found = self._paged(["at", "key"], f"kind < {PART}")
            ats = np.array([row["at"] for row in found if gone(bytes.fromhex(row["key"]))], dtype=np.intp)
            if self._milvus.folder:
                # Its numbers have no gaps: what is removed there is written anew.
                super().remove(ats)
            else:
                self._remove(ats)
                self._milvus("flush", self._kept.collection)
                self._milvus("compact", self._kept.collection)
        return len(ats)

    def _near(self, asked: Asked, count: int, also: str) -> tuple[Contents, Rows]:
        """Rows that hold the best of a query: see :mod:`~workbench.retrieval.finding` for what counts."""
        if asked.vectors is None:
            found = self._found([asked.vector], f"kind in [{LINE}, {PART}]{also}", count)
        else:
            found = self._found([asked.vector], f"kind == {WHOLE}{also}", count)
            found += self._found([*asked.vectors], f"kind == {LINE}{also}", count)
        best: dict[int, float] = {}
        for at, score in found:
            best[at] = max(score, best.get(at, -2.0))
        ats = np.array(sorted(sorted(best, key=lambda at: (-best[at], at))[:count]), dtype=np.intp)
        rows = self._asked_for("at", map(str, ats.tolist()), f"kind >= {LINE}", FIELDS)
        return self._contents(rows), self._rows_of(ats)

    def _found(self, vectors: Sequence[Any], expression: str, count: int) -> list[tuple[int, float]]:
        """Numbers of texts and scores, the best row of each text."""
        if not self._kept.n:
            return []
        several = self._milvus(
            "search",
            self._kept.collection,
            data=vectors,
            anns_field="vector",
            filter=f"{self._counts} and {expression}",
            limit=count,
            group_by_field="at",
            output_fields=["at"],
            search_params={"metric_type": "IP", "params": {"ef": max(WIDTH, 2 * count)}},
        )
        return [(hit["entity"]["at"], hit["distance"]) for hits in several for hit in hits]

    @property
    def _counts(self) -> str:
        return f"at < {self._kept.next}"

    def _asked_for(
        self, field: str, values: Iterable[str], expression: str, fields: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """Rows that have one of the values, which are numbers or hashes."""
        values = [*values]
        step = FEW if field == "key" else max(1, MESSAGE // (4 * self.state.dimension))
        for at in range(0, len(values), step):
            some = f"{self._counts} and {expression} and {field} in [{', '.join(values[at : at + step])}]"
            yield from self._query(some, fields)

    def _paged(self, fields: Sequence[str], expression: str = "kind >= 0") -> Iterator[dict[str, Any]]:
        """Rows, in the order of their texts."""
        step = max(1, MESSAGE // (4 * self.state.dimension)) if "vector" in fields else FEW * FEW // 10
        for start in range(0, self._kept.next, step):
            end = min(start + step, self._kept.next)
            found = self._query(f"at >= {start} and at < {end} and {expression}", fields)
            yield from sorted(found, key=lambda row: row["at"])

    def _ats(self, expression: str = "kind >= 0") -> Rows:
        """The numbers under which texts are kept, rising; rows that are gone leave gaps."""
        if expression == "kind >= 0" and self._kept.n == self._kept.next:
            return np.arange(self._kept.n)
        found = self._paged(["at"], f"kind < {PART} and {expression}")
        return np.array([row["at"] for row in found], dtype=np.intp)

    def _rows_of(self, ats: Rows) -> Rows:
        """Row numbers: how many texts are kept before each."""
        if self._kept.n == self._kept.next:
            return ats
        if len(ats) > FEW:
            return np.searchsorted(self._ats(), ats)
        return np.array([self._count(f"at < {at}") for at in ats.tolist()], dtype=np.intp)

    def _count(self, expression: str) -> int:
        found = self._query(f"{self._counts} and kind < {PART} and {expression}", ["count(*)"])
        return int(found[0]["count(*)"])

    def _query(self, expression: str, fields: Sequence[str]) -> Any:
        return self._milvus("query", self._kept.collection, filter=expression, output_fields=[*fields])

    def _expression(self, where: Mapping[str, Any]) -> str:
        """Of rows whose metadata has all the values; in it are hashes only.

        Raises
        ------
        InputError
            As :func:`~workbench.retrieval.records.matching_rows`.
        """
        if not where or not all(self._count(_has(name)) for name in where):
            matching_rows(self.contents.records, where)
        wanted = records_from([where], 1)[0]
        asked = (_has(name, wanted[name]) if name in wanted else f"not {_has(name)}" for name in where)
        return " and ".join(asked)

    def _contents(self, found: Iterable[dict[str, Any]]) -> Contents:
        """Texts from rows of all kinds, in the order of their numbers."""
        rows, dimension = sorted(found, key=lambda row: int(row["id"])), self.state.dimension
        if not rows:
            return Contents.nothing(dimension)
        vectors = np.array([row["vector"] for row in rows], dtype=np.float32).reshape(-1, dimension)
        places = np.array([(row["start"], row["end"]) for row in rows], dtype=np.int64)
        firsts = np.flatnonzero([row["kind"] != PART for row in rows])
        texts = [rows[at] for at in firsts]
        parts = [
            (number, places[start + 1 : end], vectors[start + 1 : end])
            for number, (start, end) in enumerate(zip(firsts, [*firsts[1:], len(rows)], strict=True))
            if end > start + 1
        ]
        kept = Records([row["metadata"] for row in texts])
        found_parts = Parts.of(parts, dimension)
        return Contents([row["text"] for row in texts], kept, vectors[firsts], found_parts)

    def _read(self) -> tuple[State, Kept]:
        found = self._milvus("query", self._milvus.name, filter="id == 1", output_fields=["state"])
        try:
            content = json.loads(found[0]["state"])
            kept = Kept(**content.pop("kept"))
            state = State(**content)
            if min(state.dimension, kept.next - kept.n + 1, kept.n + 1) < 1:
                raise ValueError("a count makes no sense")
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise self._milvus.damaged(error) from error
        return state, kept

    def _keep(self, state: State, kept: Kept) -> None:
        if self._read()[0].revision != self.state.revision:
            raise StoreError(
                _(
                    "Another process has changed the knowledge base at {address} meanwhile; nothing was "
                    "changed here. Let one write at a time, and try again."
                ).format(address=self.address)
            )
        _write(self._milvus, state, kept)
        self.state, self._kept = state, kept

    def _remove(self, ats: Rows) -> None:
        """Have a server forget rows; they stop counting first: a killed process leaves numbers right."""
        state = replace(self.state, changed=now(), revision=self.state.revision + 1)
        n = self._kept.n - len(ats)
        self._keep(replace(state, generation=state.generation + 1), replace(self._kept, n=n))
        for at in range(0, len(ats), FEW):
            some = ", ".join(map(str, ats[at : at + FEW].tolist()))
            self._milvus("delete", self._kept.collection, filter=f"at in [{some}]")

    def _remove_debris(self) -> None:
        """Remove what killed processes have left."""
        collection, ours = self._kept.collection, re.compile(rf"{self._milvus.name}__\d+")
        for other in self._milvus("list_collections"):
            if ours.fullmatch(other) and other != collection:
                self._milvus("drop_collection", other)
        uncounted = f"at >= {self._kept.next}"
        if self._milvus("query", collection, filter=uncounted, output_fields=["at"], limit=1):
            self._milvus("delete", collection, filter=uncounted)
        self._kept = replace(self._kept, n=self._count("kind >= 0"))


def _write(milvus: Milvus, state: State, kept: Kept) -> None:
    content = json.dumps(asdict(state) | {"kept": asdict(kept)}, ensure_ascii=False, allow_nan=False)
    milvus("upsert", milvus.name, [{"id": 1, "state": content, "vector": [1.0, 0.0]}])


def _has(*of: Any) -> str:
    return f'array_contains(facts, "{fact(*of)}")'

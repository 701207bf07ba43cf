"""Where a person's texts may lie: knowledge bases, labelled sets, logs, reports; and what of a set goes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.atomic import write_whole, written
from workbench.decision_log import DecisionLog
from workbench.encoders.lookup import KNOWLEDGE_BASE_FILE, MILVUS_LITE_FILE, text_key
from workbench.encoders.store import EmbeddingStore
from workbench.errors import InputError, WorkbenchError
from workbench.settings import WEIGHTS, get_settings
from workbench.texts import tidy_lines

if TYPE_CHECKING:
    import pandas as pd

    from workbench.encoders.base import Vectors

# Under which metadata and columns a person has a name, besides the file that the text came from.
NAMES = ("resume_id", "candidate_id", "person_id", "candidate", "person", "id")

# What a killed process has left of a file that it was writing; see :func:`workbench.atomic.replacing`.
DRAFT = re.compile(r"\.(.+)\.draft-[^.]+(\.[^.]+)?")

# Whether what is named by its kind, perhaps its place, and a key or name is to go.
Gone = Callable[..., bool]


class Held(NamedTuple):
    """Texts that belong together, the last of them a person's: a row of a base or table, or a document."""

    place: Path
    kinds: list[tuple[str, ...]]  # under which its names are noted
    texts: list[str]
    names: set[str]
    vectors: Sequence[Vectors]


@dataclass(frozen=True)
class Places:
    """Where texts may lie; `outputs` were written by the workbench, `strangers` only lie where it looks."""

    bases: set[Path] = field(default_factory=set)
    sets: set[Path] = field(default_factory=set)
    logs: set[Path] = field(default_factory=set)
    outputs: set[Path] = field(default_factory=set)
    strangers: set[Path] = field(default_factory=set)

    @classmethod
    def known(cls, folders: Iterable[str | Path]) -> Places:
        settings, places = get_settings(), cls()
        ours = written()
        if settings.store_path.exists():
            with EmbeddingStore(settings.store_path) as store:
                ours |= {folder / KNOWLEDGE_BASE_FILE for folder in store.knowledge_bases()}
        ours |= {
            path
            for folder in {path.parent for path in ours}
            for path in folder.glob(".*")
            if (found := DRAFT.fullmatch(path.name)) and folder / found[1] in ours
        }
        labelled = settings.project_dir / "labeled_pairs"
        looked = (labelled, settings.project_dir / "reports", *map(Path, folders))
        walked = {path.absolute() for folder in looked for path in folder.expanduser().rglob("*")}
        for path in sorted(ours | walked):
            # What may not be looked at is not ours.
            with suppress(PermissionError):
                if path.is_file() and path.parent != settings.cache_dir.absolute():
                    places._sort(path, ours=path in ours, labelled=labelled in path.parents)
        return places

    def _sort(self, path: Path, *, ours: bool, labelled: bool) -> None:
        above = path.parent
        if ours and DRAFT.fullmatch(path.name):
            self.outputs.add(path)
        elif path.name == KNOWLEDGE_BASE_FILE or (
            path.name == MILVUS_LITE_FILE and (above / "collections").is_dir()
        ):
            self.bases.add(above)
        elif above.name == "annotations" and path.suffix in (".jsonl", ".lock"):
            self.sets.add(above.parent.parent if above.parent.name == "coverage" else above.parent)
        elif above.name in ("jds", "resumes") and (ours or labelled):
            # Elsewhere they are somebody's own documents.
            self.sets.add(above.parent)
        elif path.suffix == ".csv" and path.stem.split("_")[0] in ("pairs", "coverage", "annotations"):
            self.sets.add(above)
        elif DecisionLog.is_log(path):
            self.logs.add(path)
        elif ours:
            self.outputs.add(path)
        else:
            self.strangers.add(path)

    def holdings(self) -> Iterator[Held]:
        """All that bases and labelled sets hold."""
        from workbench.retrieval.choosing import stores_in

        kinds: list[tuple[str, ...]] = [("log",)]
        for folder in self.bases:
            with suppress(WorkbenchError):
                for held in (store.contents for store in stores_in(folder)):
                    for text, record, vector in zip(held.texts, held.records, held.vectors, strict=True):
                        yield Held(folder, kinds, [text], names_in(record), [vector])
        for folder in self.sets:
            of_set = [*kinds, ("set", str(folder))]
            for path, table in tables_in(folder):
                for row in table.to_dict("records"):
                    yield Held(path, of_set, texts_in(row), names_in(row), [])
            for name, text in documents_in(folder):
                yield Held(folder, of_set, [text], {name}, [])

    def files(self) -> Iterator[Path]:
        """All, and what lies beside them in their folders and in the cache folder."""
        folders = {get_settings().cache_dir, *self.bases, *self.sets}
        inside = {path for folder in folders for path in folder.rglob("*")}
        yield from sorted(
            path
            for path in inside | self.logs | self.outputs | self.strangers
            if path.is_file() and path.name != WEIGHTS
        )


def erase_from_set(folder: Path, gone: Gone) -> int:
    """Labels first and pairs last, by which a later process still tells which labels go."""
    from workbench.pairs.annotations import logs_in
    from workbench.pairs.writing import csv_of

    here = partial(gone, "set", str(folder))

    def goes(row: Mapping[Any, Any]) -> bool:
        return any(gone("text", text_key(text)) for text in texts_in(row)) or any(map(here, names_in(row)))

    tables = {
        path: (table, [goes(row) for row in table.to_dict("records")]) for path, table in tables_in(folder)
    }
    pair_ids = {
        pair_id
        for table, lost in tables.values()
        if {"pair_id", "resume"} <= {*table.columns}
        for pair_id in table.loc[lost, "pair_id"]
    }

    def of_lost_pair(pair_id: str) -> bool:
        # Of whole documents the ids of both make that of the pair.
        return pair_id in pair_ids or ("~" in pair_id and any(map(here, pair_id.split("~"))))

    removed = sum(log.forget(of_lost_pair) for at in (folder, folder / "coverage") for log in logs_in(at))
    for path in sorted(tables, key=lambda path: "resume" in tables[path][0]):
        table, lost = tables[path]
        if "pair_id" in table:
            lost = [
                went or of_lost_pair(pair_id) for went, pair_id in zip(lost, table["pair_id"], strict=True)
            ]
        if any(lost):
            write_whole(path, csv_of(table[[not went for went in lost]]))
            removed += sum(lost)
    documents = [path for side in ("jds", "resumes") for path in folder.glob(f"{side}/*") if here(path.stem)]
    return removed + sum(map(delete, documents))


def delete(path: Path) -> int:
    path.unlink(missing_ok=True)
    return 1


def tables_in(folder: Path) -> Iterator[tuple[Path, pd.DataFrame]]:
    from workbench.pairs.tables import read_table

    for path in sorted(folder.glob("[!.]*.csv")):
        with suppress(InputError):
            yield path, read_table(path).fillna("")


def documents_in(folder: Path) -> Iterator[tuple[str, str]]:
    from workbench.documents.reading import read_documents

    for side in (folder / "jds", folder / "resumes"):
        if side.is_dir():
            with suppress(InputError):
                yield from ((document.id, document.text) for document in read_documents(side, progress=False))


def texts_in(row: Mapping[Any, Any]) -> list[str]:
    return [tidy_lines(str(row[side])) for side in ("jd", "resume") if row.get(side)]


def names_in(record: Mapping[Any, Any]) -> set[str]:
    """The names that a person may have in metadata, or in a row of a table."""
    names = {str(record[name]) for name in NAMES if record.get(name) not in (None, "")}
    if "source" in record and not {"row", "line", "entry"} & {*record}:
        source = PurePath(str(record["source"]))
        names |= {source.name, source.stem}
    return names

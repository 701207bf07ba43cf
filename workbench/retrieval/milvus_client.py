"""The way to Milvus: to a server, or to Milvus Lite in this process, and what a knowledge base keeps there.

Milvus Lite is a server too, and has no passwords: it listens on a socket in a folder that only its user may
enter, not on a port that every user of the machine could read from. What is kept is told in
:mod:`~workbench.retrieval.milvus_store`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import threading
import weakref
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from workbench.atomic import WorkFolder, private_file, private_folder
from workbench.encoders.base import Vectors
from workbench.encoders.fast.endpoint import warn_of_plain_text
from workbench.encoders.lookup import MILVUS_LITE_FILE, text_key
from workbench.errors import InputError, MissingDependencyError, StoreError
from workbench.i18n import gettext as _
from workbench.retrieval.rows_file import explained

PREFIX = "milvus:"
TOKEN = "WORKBENCH_MILVUS_TOKEN"
# Bytes of a text: Milvus keeps no more of one.
LONGEST = 65_535
# HNSW (Malkov & Yashunin 2018, arXiv:1603.09320), set up as Milvus does by itself.
GRAPH = {"M": 18, "efConstruction": 240}
# Loading what a server has not searched for long takes longest.
SECONDS = 600
# Messages of any length for Milvus Lite, which takes a sign of life every ten seconds for an attack.
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
QUIET = {"grpc.keepalive_time_ms": 600_000}
# What a row is: a line, the whole of a document, or a part of one, which comes after it.
LINE, WHOLE, PART = 0, 1, 2
MOST_PARTS = 2**20
TEXT: Any = {"datatype": "VARCHAR", "max_length": LONGEST}
HASHES: Any = {"datatype": "ARRAY", "element_type": "VARCHAR", "max_capacity": 4096, "max_length": 32}
# A name is told from that of its rows, name__1.
_NAME = re.compile(r"(?=.{1,99}$)[A-Za-z](_?[A-Za-z0-9])*", re.ASCII)


class Milvus:
    """One knowledge base in Milvus.

    Parameters
    ----------
    address : str
        ``milvus:./jobs.db`` (a folder, which Milvus Lite makes) or ``milvus:http://host:19530``, then perhaps
        ``#name`` where several knowledge bases are kept. A server's token is read from
        ``WORKBENCH_MILVUS_TOKEN``.

    Attributes
    ----------
    name : str
        Of the collection of its state.
    lock : RLock
        Held by whoever writes, in this process.
    """

    lock = threading.RLock()

    def __init__(self, address: str) -> None:
        place, name = address.removeprefix(PREFIX), ""
        if "#" in place:
            place, _mark, name = place.rpartition("#")
        if not place or "@" in place or not _NAME.fullmatch(name or "workbench"):
            raise InputError(
                _(
                    "This is no address of a knowledge base in Milvus: write milvus:./jobs.db or "
                    "milvus:http://host:19530, then perhaps #name of letters, digits and _. A token goes "
                    "into the environment variable {variable}, never into an address, which is shown."
                ).format(variable=TOKEN)
            )
        self.address, self.name, self._place = address, name or "workbench", place
        self.folder = None if "://" in place else Path(place).expanduser().absolute()
        self._client: Any = None
        self._refusals: tuple[type[Exception], ...] = ()

    def __call__(self, act: str, *given: Any, **options: Any) -> Any:
        """Have Milvus do something, as pymilvus calls it.

        Raises
        ------
        StoreError
            If it cannot be reached, or refuses.
        """
        try:
            if self._client is None:
                self._connect()
            return getattr(self._client, act)(*given, timeout=SECONDS, **options)
        except self._refusals as error:
            raise StoreError(
                _(
                    "Milvus at {address} cannot be reached or refuses ({reason}); see that it runs, and that "
                    "{variable} is right if it asks for a token."
                ).format(address=self.address, reason=getattr(error, "message", error), variable=TOKEN)
            ) from error

    @property
    def engine(self) -> str:
        """What it is called."""
        return "Milvus Lite" if self.folder else "Milvus"

    @property
    def n_bytes(self) -> int | None:
        """That it takes on this machine's disk."""
        files = self.folder.rglob("*") if self.folder else ()
        return sum(path.stat().st_size for path in files if path.is_file()) or None

    def damaged(self, reason: object) -> StoreError:
        """The error that says that what is there is no knowledge base, or not any more."""
        return StoreError(
            _(
                "What Milvus keeps at {address} cannot be read as a knowledge base ({reason}): choose "
                "another #name, or put it back from a copy."
            ).format(address=self.address, reason=reason)
        )

    def make_state(self) -> None:
        """The collection of the state, which has a vector because each must have one."""
        self._make(self.name, 2, {"state": TEXT})

    def make_rows(self, collection: str, dimension: int) -> None:
        """An empty collection of rows, in the place of what a killed process may have left of it."""
        self("drop_collection", collection)
        texts = {"key": TEXT, "text": TEXT, "metadata": TEXT, "facts": HASHES}
        numbers = {name: {"datatype": "INT64"} for name in ("at", "kind", "start", "end")}
        self._make(collection, dimension, {**numbers, **texts})
        with suppress(StoreError):  # Milvus Lite has no index over lists
            self._index(collection, **{name: {"index_type": "INVERTED"} for name in ("at", "key", "facts")})

    def _make(self, collection: str, dimension: int, fields: Mapping[str, Mapping[str, Any]]) -> None:
        from pymilvus import DataType, MilvusClient

        schema = MilvusClient.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
        for name, options in fields.items():
            kinds = {key: DataType[value] for key, value in options.items() if key.endswith("type")}
            schema.add_field(name, **{**options, **kinds})
        self("create_collection", collection, schema=schema, consistency_level="Strong")
        self._index(collection, vector={"index_type": "HNSW", "metric_type": "IP", "params": GRAPH})
        self("load_collection", collection)

    def _index(self, collection: str, **fields: Mapping[str, Any]) -> None:
        from pymilvus import MilvusClient

        indexes = MilvusClient.prepare_index_params()
        for name, options in fields.items():
            indexes.add_index(name, **options)
        # pymilvus would wait half a second for each, although nothing is there to be indexed yet.
        self("create_index", collection, indexes, sync=False)

    def _connect(self) -> None:
        os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # it tells of every connection that ends
        try:
            import pymilvus

            # What was refused is told once, in a sentence.
            logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
            self._refusals = (pymilvus.MilvusException,)
            uri, token = self._place, os.environ.get(TOKEN, "")
            if self.folder:
                self._embedded = Embedded.over(self.folder)
                uri, token = f"unix:{self._embedded.socket}", ""
        except ImportError as error:
            raise MissingDependencyError(
                _("Milvus needs {package}, which is not installed; install the extra {extra}.").format(
                    package=error.name, extra="jd-resume-workbench[milvus]"
                )
            ) from error
        warn_of_plain_text(uri)
        self._client = pymilvus.MilvusClient(uri, token=token, timeout=10, grpc_options=QUIET)
        weakref.finalize(self, self._client.close)


class Embedded:
    """Milvus Lite over a folder; one for all of a process, until nobody has it open any more.

    Attributes
    ----------
    socket : Path
        Where it listens.
    """

    _open: ClassVar[weakref.WeakValueDictionary[Path, Embedded]] = weakref.WeakValueDictionary()

    def __init__(self, folder: Path) -> None:
        import grpc
        from milvus_lite import DataDirLockedError, MilvusLite
        from milvus_lite.adapter.grpc.servicer import MilvusServicer
        from pymilvus.grpc_gen import milvus_pb2_grpc

        logging.getLogger("milvus_lite").setLevel(logging.CRITICAL)
        try:
            engine = MilvusLite(str(folder))
        except DataDirLockedError as error:
            raise StoreError(
                _(
                    "Another process has the knowledge base in {folder} open, and Milvus Lite lets only one: "
                    "close it there, or let a Milvus server serve both."
                ).format(folder=folder)
            ) from error
        own = WorkFolder()
        self.socket = Path(own.name, "milvus")
        server = grpc.server(ThreadPoolExecutor(4), options=UNLIMITED)
        milvus_pb2_grpc.add_MilvusServiceServicer_to_server(MilvusServicer(engine), server)
        server.add_insecure_port(f"unix:{self.socket}")
        server.start()
        weakref.finalize(self, _stop, server, engine, own)

    @classmethod
    def over(cls, folder: Path) -> Embedded:
        """The one that is open in this process, or a new one."""
        with Milvus.lock:
            found = cls._open.get(folder)
            if found is None:
                with explained(folder, "created"):
                    private_folder(folder)
                    if any(folder.iterdir()) and not (folder / MILVUS_LITE_FILE).exists():
                        raise StoreError(
                            _("{folder} holds something else; choose a folder for Milvus Lite alone.").format(
                                folder=folder
                            )
                        )
                private_file(folder / MILVUS_LITE_FILE)  # remembered, for a person may have to be forgotten
                found = cls._open[folder] = cls(folder)
            return found


def rows_of(
    at: int, text: str, kept: str, vector: Vectors, parts: tuple[npt.NDArray[np.int64], Vectors] | None
) -> list[dict[str, Any]]:
    """A text as Milvus keeps it: a row, and one for each part."""
    record: dict[str, Any] = json.loads(kept)
    facts = [each for name, value in record.items() for each in (fact(name), fact(name, value))]
    base: dict[str, Any] = {"at": at, "facts": facts}
    first: dict[str, Any] = {
        "id": at * MOST_PARTS,
        "kind": LINE if parts is None else WHOLE,
        "start": 0,
        "end": len(text),
    }
    first |= {"key": text_key(text).hex(), "text": text, "metadata": kept, "vector": vector}
    places = [] if parts is None else zip(parts[0].tolist(), parts[1], strict=True)
    return [base | first] + [
        base
        | {"id": at * MOST_PARTS + number, "kind": PART, "start": start, "end": end, "vector": of_part}
        | {"key": "", "text": "", "metadata": ""}
        for number, ((start, end), of_part) in enumerate(places, start=1)
    ]


def fact(*of: Any) -> str:
    """Of a column's name, or of a name and a value; the same for values that are equal to one another."""
    return hashlib.sha256(json.dumps(_told(list(of)), sort_keys=True).encode()).hexdigest()[:32]


def _told(value: Any) -> Any:
    match value:
        case bool() | int() | float():
            return {"number": str(Fraction(value))}
        case dict():
            return ["mapping", {name: _told(inner) for name, inner in value.items()}]
        case list():
            return [_told(inner) for inner in value]
    return value


def _stop(server: Any, engine: Any, own: WorkFolder) -> None:
    server.stop(None).wait()
    engine.close()
    own.cleanup()

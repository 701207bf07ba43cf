"""Adding to a knowledge base, and encoding it again: encode outside the lock, write what is new inside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from workbench.encoders import Encoder
from workbench.errors import StoreError
from workbench.retrieval.encoding import encode
from workbench.retrieval.manifest import encoder_entry
from workbench.retrieval.records import FileTexts, Record
from workbench.retrieval.reports import AddReport, report_of
from workbench.retrieval.storage import Contents, Store
from workbench.texts import clean

__all__ = ["add_new", "encode_again"]


def add_new(
    store: Store,
    encoder: Encoder,
    items: list[str],
    records: list[Record],
    files: Sequence[FileTexts] = (),
    *,
    check: Callable[[Encoder], object],
    progress: bool | None = None,
) -> AddReport:
    """Clean texts, encode those that the store does not have, and add them with their records.

    `check` is called once no other process can write, and raises if the encoder is not the store's any
    more. `files` say which of the texts came from where.
    """
    cleaned = clean(items)
    new = _unknown(store, zip(cleaned.texts, cleaned.positions, strict=True))
    vectors = encode(encoder, list(new), "document", progress)
    row_of = {text: row for row, text in enumerate(new)}
    with store.changing():
        # Another process may have added some of them, or re-encoded all, while we encoded.
        check(encoder)
        new = _unknown(store, new.items())
        if new:
            added = [records[position] for position in new.values()]
            # Nearly always all of them are still new, and need not be copied.
            kept = vectors if len(new) == len(vectors) else vectors[[row_of[text] for text in new]]
            store.append(Contents(list(new), added, kept))
    return report_of(cleaned, set(new.values()), files)


def encode_again(store: Store, encoder: Encoder, spec: str | None) -> None:
    """Put vectors of another encoder, which loads by `spec`, in the place of all.

    Raises
    ------
    StoreError
        If another process has changed the store meanwhile.
    """
    revision, old = store.manifest.revision, store.contents
    vectors = encode(encoder, old.texts, "document")
    with store.changing():
        if store.manifest.revision != revision:
            raise StoreError(
                f"Another process has changed the knowledge base in {store.folder} while it was "
                "being encoded again; nothing was changed here. Open it once more with reencode=True."
            )
        store.rewrite(Contents(old.texts, old.records, vectors), encoder_entry(encoder, spec))


def _unknown(store: Store, texts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Those texts that are not in the store, with their position."""
    known = set(store.contents.texts)
    return {text: position for text, position in texts if text not in known}

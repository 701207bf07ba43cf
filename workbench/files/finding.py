"""Whether a file holds a text, in whatever form it stands there: its bytes are searched, not its meaning."""

from __future__ import annotations

import html
import json
import mmap
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from markupsafe import escape

from workbench.texts import tidy

# Bytes that are unpacked of one file in another.
LARGEST = 2**28


def forms_of(texts: Iterable[str]) -> set[bytes]:
    """The bytes as which texts may stand in a file: encoded, and escaped for JSON, HTML or CSV."""
    forms = set()
    for text in texts:
        written = {text, html.escape(text), html.escape(text, quote=False), str(escape(text))}
        written |= {json.dumps(each, ensure_ascii=ascii)[1:-1] for each in written for ascii in (True, False)}
        written.add(text.replace('"', '""'))
        forms |= {form.encode("utf-8", "replace") for form in written}
        forms |= {text.encode(coding, "replace") for coding in ("utf-16-le", "utf-16-be", "utf-32-le")}
        with suppress(UnicodeError):
            forms.add(text.encode("gb18030"))
    return forms


def holds(path: Path, wanted: Iterable[bytes], names: Iterable[str] = ()) -> bool:
    """Whether one of the byte strings stands in a file, or one of the names as a word of its own.

    Raises
    ------
    OSError
        If the file cannot be read, or what is packed in it cannot be unpacked.
    """
    words = [re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.ASCII) for name in names]
    for content in _contents(path):
        if any(content.find(each) >= 0 for each in wanted):
            return True
        if words and any(word.search(str(content[:], "utf-8", "replace")) for word in words):
            return True
    return False


def _contents(path: Path) -> Iterator[bytes | mmap.mmap]:
    """The bytes of a file, those that are packed in it, and the text of a page without its tags."""
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield content
        if path.suffix == ".html":
            said = html.unescape(re.sub(r"<[^>]*>", " ", str(content[:], "utf-8", "replace")))
            yield tidy(said).encode()
    try:
        if path.suffix == ".parquet":
            import pandas as pd
            import pyarrow as pa
            import pyarrow.parquet as pq

            # Vectors hold no text, and take minutes to write out.
            schema = pq.read_schema(path)
            columns = [each.name for each in schema if not pa.types.is_fixed_size_list(each.type)]
            yield pd.read_parquet(path, columns=columns).to_csv().encode()
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                yield from (packed.read(each) for each in packed.infolist() if each.file_size < LARGEST)
    except (ValueError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise OSError(str(error)) from error

"""Text of pictures and of scanned pages by OCR: the extra ``ocr``, whose weights lie in its own package.

RapidOCR finds and reads the lines, Chinese and English, on this machine and without network; their order is
found as that of a PDF's lines. Nothing heavy is imported before there is something to look at.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from workbench.documents.content import Block, Content
from workbench.documents.layout import paragraphs_on
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext, percent, pgettext
from workbench.progress import progress_bar

if TYPE_CHECKING:
    from pdfminer.layout import LTPage
    from PIL.Image import Image

# A page takes a few seconds, and no scanned résumé is longer.
MOST_SCANS = 30
# A page of A4 at 600 dpi has 35 million; what unpacks to more is a poster or a trap.
MOST_PIXELS = 40_000_000
# No further page is begun after so long, of a processor's time.
MOST_SECONDS = 45.0
# Of one page; each takes memory of its own.
MOST_THREADS = 4
# The longer side of a page in pixels, as lines are read (170 dpi of A4) and as they are found. Finding them
# on a smaller picture takes half the time and memory; at 1,120, 360 MB in all.
LONGEST_READ = 2000
LONGEST_FOUND = 1120
# What is less sure is decoration more often than text.
LEAST_SURE = 0.5
_PACKAGES = ("rapidocr", "onnxruntime", "pypdfium2")
# PDFium is not made for several threads.
_PDFIUM = Lock()


@dataclass
class Seen:
    """What OCR read of a file.

    Attributes
    ----------
    pages : dict of int to list of str
        Paragraphs of each page that was looked at and has text.
    n_characters, sure : int, float
        How many characters these have, and the sum of their confidences.
    illegible : int
        Lines that could not be made out.
    too_large : list of int
        Pages that were not looked at, since their picture has too many pixels.
    beyond, late : sequence of int
        Pages that were not looked at, since they are too many, or the others took too long.
    """

    pages: dict[int, list[str]] = field(default_factory=dict)
    n_characters: int = 0
    sure: float = 0.0
    illegible: int = 0
    too_large: list[int] = field(default_factory=list)
    beyond: Sequence[int] = ()
    late: Sequence[int] = ()

    @property
    def confidence(self) -> float | None:
        """The mean of its characters; None without any."""
        return self.sure / self.n_characters if self.n_characters else None

    def notes(self) -> Iterator[str]:
        """What to tell about it."""
        if self.confidence is not None:
            yield ngettext(
                "page {pages} read by OCR (mean confidence {confidence}); check it",
                "pages {pages} read by OCR (mean confidence {confidence}); check them",
                len(self.pages),
            ).format(pages=listed(self.pages), confidence=percent(self.confidence))
        if self.illegible:
            yield ngettext("{n} line illegible to OCR", "{n} lines illegible to OCR", self.illegible).format(
                n=self.illegible
            )
        if self.too_large:
            yield _("not read: page {pages}, a picture of more than {most} million pixels").format(
                pages=listed(self.too_large), most=MOST_PIXELS // 10**6
            )
        if self.late:
            yield _("not read: page {pages}; OCR of the others took {seconds} s").format(
                pages=listed(self.late[:3]) + (" …" if len(self.late) > 3 else ""),
                seconds=f"{MOST_SECONDS:g}",
            )
        elif self.beyond:
            yield _("not read: page {pages}; OCR reads the first {most} of a file").format(
                pages=listed(self.beyond[:3]) + (" …" if len(self.beyond) > 3 else ""), most=MOST_SCANS
            )


def is_installed() -> bool:
    """Whether OCR can be done here."""
    return all(map(find_spec, _PACKAGES))


def how_to_read() -> str:
    """What to install, for those who have no OCR yet."""
    return _("to have it read by OCR: pip install '.[ocr]'")


def read_picture(path: Path) -> Content:
    """Text of a picture, or of each picture in a .tiff file.

    Raises
    ------
    InputError
        If OCR is not installed, or the file has too many pixels, or no text.
    """
    if not is_installed():
        raise InputError(_("{file} is a picture; {advice}").format(file=path.name, advice=how_to_read()))
    from PIL import Image

    with Image.open(path, formats=("PNG", "JPEG", "TIFF", "WEBP")) as picture:
        frames = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
        pages = range(1, frames + 1)
        seen = _look_at(path.name, pages, _frames_of(picture, pages))
    notes = tuple(seen.notes())
    if not seen.pages:
        raise InputError(
            _("{file} is a picture in which OCR finds no text.").format(file=path.name)
            if not notes
            else _("{file} has no text: {reason}.").format(file=path.name, reason=listed(notes))
        )
    blocks = [Block(text, page) for page, texts in seen.pages.items() for text in texts]
    return Content(tuple(blocks), notes, len(seen.pages), seen.confidence)


def read_scans(path: Path, pages: Sequence[int]) -> Seen:
    """Text of these pages of a PDF, of which no more than a picture is known."""
    return _look_at(path.name, pages, _pages_of_pdf(path, pages))


def _look_at(name: str, pages: Sequence[int], pictures: Iterator[Image | None]) -> Seen:
    """Read pages one by one, with a bar; Ctrl-C stops after the one that is being read."""
    seen = Seen(beyond=pages[MOST_SCANS:])
    some, unit = pages[:MOST_SCANS], pgettext("unit of a progress bar", "page")
    with progress_bar(len(some), _("OCR of {file}").format(file=name), None, unit=unit, short=2) as bar:
        until = time.thread_time() + MOST_SECONDS
        for place, (page, picture) in enumerate(zip(some, pictures, strict=False)):
            if time.thread_time() > until:
                seen.late = pages[place:]
                break
            if picture is None:
                seen.too_large.append(page)
            else:
                _read(picture, page, seen)
            bar.update()
    return seen


def _pages_of_pdf(path: Path, pages: Iterable[int]) -> Iterator[Image | None]:
    """Each page as a picture; None where it holds one of too many pixels."""
    import pypdfium2
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    with pypdfium2.PdfDocument(path) as document:
        for page_number in pages:
            with _PDFIUM:
                page = document[page_number - 1]
                held = [found.get_px_size() for found in page.get_objects([FPDF_PAGEOBJ_IMAGE], max_depth=5)]
                picture = None
                if max((width * height for width, height in held), default=0) <= MOST_PIXELS:
                    # Small pages, such as a card, are not blown up beyond 300 dpi.
                    scale = min(LONGEST_READ / max(page.get_size()), 300 / 72)
                    picture = page.render(scale=scale).to_pil()
                page.close()
            yield picture


def _frames_of(file: Any, pages: Iterable[int]) -> Iterator[Image | None]:
    """Each picture in a file, upright and no larger than it is read; None where it has too many pixels."""
    from PIL import ImageOps

    for page in pages:
        file.seek(page - 1)
        if file.width * file.height > MOST_PIXELS:
            yield None
            continue
        # A JPEG is unpacked at a half or a quarter of its size where that is enough.
        file.draft("RGB", (LONGEST_READ, LONGEST_READ))
        # Of these, pixels could be dropped only, not averaged.
        picture = file.convert({"1": "L", "P": "RGBA"}[file.mode]) if file.mode in "1P" else file
        picture.thumbnail((LONGEST_READ, LONGEST_READ), reducing_gap=2.0)
        yield ImageOps.exif_transpose(picture)


def _read(picture: Image, page: int, seen: Seen) -> None:
    """Add the text of a page to what is seen."""
    import numpy as np
    from PIL import Image

    if picture.mode in ("RGBA", "LA", "PA"):
        # What is transparent shows the paper, not the black that may be stored there.
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    try:
        found = _engine()(np.ascontiguousarray(np.asarray(picture.convert("RGB"))[:, :, ::-1]))
    except Exception as error:
        # Whatever happened comes as a whole traceback in the words of another error.
        if "bad_alloc" in str(error):
            raise MemoryError from error
        raise RuntimeError(str(error).strip().rpartition("\n")[2]) from error
    if found.txts is None:
        return
    lines = list(zip(found.boxes, found.txts, found.scores, strict=True))
    legible = [(box, text) for box, text, sure in lines if sure >= LEAST_SURE]
    seen.illegible += len(lines) - len(legible)
    seen.n_characters += sum(len(text) for _box, text in legible)
    seen.sure += sum(float(sure) * len(text) for _box, text, sure in lines if sure >= LEAST_SURE)
    if legible:
        seen.pages[page] = list(paragraphs_on(_page_of(legible, picture.size)))


def _page_of(lines: Iterable[tuple[Any, str]], size: tuple[int, int]) -> LTPage:
    """The lines as pdfminer has those of a page: in its boxes and order, measured from the bottom."""
    from pdfminer.layout import IndexAssigner, LAParams, LTAnno, LTPage, LTTextLineHorizontal

    width, height = size
    page, parameters = LTPage(1, (0, 0, width, height)), LAParams()
    placed = []
    for box, text in lines:
        (left, top), (right, bottom) = box.min(axis=0).tolist(), box.max(axis=0).tolist()
        line = LTTextLineHorizontal(parameters.word_margin)
        line._objs = [LTAnno(text), LTAnno("\n")]
        line.set_bbox((left, height - bottom, right, height - top))
        placed.append(line)
    boxes: list[Any] = list(page.group_textlines(parameters, placed))
    assigner = IndexAssigner()
    for group in page.group_textboxes(parameters, boxes):
        group.analyze(parameters)
        assigner.run(group)
    boxes.sort(key=lambda box: box.index)
    page.extend(boxes)
    return page


@cache
def _engine() -> Any:
    import rapidocr

    # By their paths: what it does not find by name and checksum, it would fetch.
    models = Path(rapidocr.__file__).parent / "models"
    weights = {
        f"{step.title()}.model_path": str(next(models.glob(f"*_{step}_*.onnx")))
        for step in ("det", "cls", "rec")
    }
    return rapidocr.RapidOCR(
        params={
            **weights,
            "Global.log_level": "critical",
            "Global.text_score": 0.0,
            "Det.limit_type": "max",
            # In batches it takes twice the memory, and no less time.
            "Rec.rec_batch_num": 1,
            "Cls.cls_batch_num": 1,
            "Det.limit_side_len": LONGEST_FOUND,
            "EngineConfig.onnxruntime.intra_op_num_threads": min(MOST_THREADS, os.cpu_count() or 1),
        }
    )

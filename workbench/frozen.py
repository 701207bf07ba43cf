"""What a scorer froze of a collection, as one text, so that a card or a frame can carry it.

Nothing in such a text can run: it is a zip of plain arrays, read without pickle.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
import numpy.typing as npt

from workbench.errors import CardError
from workbench.i18n import gettext as _

# Unpacked; what a scorer freezes is of the size of some vectors, however large the collection was.
LARGEST = 2**28


def as_text(state: Mapping[str, npt.NDArray[Any]]) -> str:
    """The arrays as ASCII, the same for the same ones; an empty text for none."""
    if not state:
        return ""
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **{name: state[name] for name in sorted(state)})
    return base64.b64encode(packed.getvalue()).decode("ascii")


def arrays_in(text: str) -> dict[str, npt.NDArray[Any]]:
    """What :func:`as_text` was given.

    Raises
    ------
    CardError
        If the text is none of these, or far too large.

    Examples
    --------
    >>> arrays_in(as_text({"means": np.zeros(3)}))
    {'means': array([0., 0., 0.])}
    """
    if not text:
        return {}
    try:
        packed = io.BytesIO(base64.b64decode(text, validate=True))
        with ZipFile(packed) as archive:
            too_large = sum(each.file_size for each in archive.infolist()) > LARGEST
        if not too_large:
            with np.load(packed, allow_pickle=False) as arrays:
                return dict(arrays.items())
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        raise CardError(
            _(
                "What the scorer had frozen cannot be read from the card ({reason}): take the original file, "
                "or calibrate again."
            ).format(reason=error)
        ) from error
    raise CardError(_("What the card holds of its scorer is too large to be true; calibrate again."))

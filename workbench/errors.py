"""The one family of errors. Every message is a sentence that says what was wrong, where, and what to do.

Catch :class:`WorkbenchError` to catch them all; each class also derives from the builtin that a
caller would expect (``ValueError`` for bad input, ``ImportError`` for a missing package).
"""

from __future__ import annotations

import os
import traceback

from workbench.visible import visible


def trace_of(error: BaseException) -> str:
    """Where a fault happened, for a log; what it says, maybe a text, only with ``WORKBENCH_DEBUG=1``."""
    if os.environ.get("WORKBENCH_DEBUG", "0") not in ("", "0"):
        return visible("".join(traceback.format_exception(error)))
    return visible("".join(traceback.format_tb(error.__traceback__)) + type(error).__name__)


class WorkbenchError(Exception):
    """Base of all errors that the workbench raises on purpose."""

    def __str__(self) -> str:
        # Names of files and columns stand in it, and Python prints it to the terminal.
        return visible(super().__str__())


class InputError(WorkbenchError, ValueError):
    """What the caller passed, or a file that the caller named, cannot be used as it is."""


class CardError(InputError):
    """A cutoff card is damaged, edited by hand, or of an unknown schema version."""


class EncoderUnavailableError(WorkbenchError, LookupError):
    """An encoder cannot be loaded here: unknown name, no weights, no GPU, no server."""


class EncoderError(WorkbenchError, RuntimeError):
    """An encoder failed while encoding, or returned vectors that cannot be used."""


class EncoderMismatchError(WorkbenchError, ValueError):
    """Vectors, a knowledge base or a cutoff card belong to another encoder than the one given."""


class StoreError(WorkbenchError, OSError):
    """A file of the workbench (embedding store, knowledge base) cannot be read or written."""


class NotebookError(WorkbenchError, RuntimeError):
    """A notebook failed while it was executed, or was given a parameter that it does not have."""


class MissingDependencyError(WorkbenchError, ImportError):
    """An optional package is not installed; the message says which extra brings it."""


class UncalibratedCutoffWarning(UserWarning):
    """The cutoff in use was never calibrated for the encoder in use."""


class CardWarning(UserWarning):
    """A file among the cutoff cards is none that can be used."""


class CleaningWarning(UserWarning):
    """Cleaning dropped or cut some of the texts that the caller passed."""


class PairsWarning(UserWarning):
    """Reading labelled pairs left some of them out, or cut their texts."""


class LogWarning(UserWarning):
    """Reading a decision log left out lines that an interrupted write left unfinished, or other encoders'."""

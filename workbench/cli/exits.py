"""How a command ends: exit codes, and errors and warnings as sentences on stderr."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperGroup

from workbench.errors import WorkbenchError

__all__ = ["ExitCode", "Group"]


class ExitCode(IntEnum):
    """What the shell sees."""

    FINE = 0
    NO = 1
    INPUT = 2
    FAULT = 70  # EX_SOFTWARE of sysexits.h, so that a crash is not taken for a "no"
    INTERRUPTED = 130
    BROKEN_PIPE = 141


class Group(TyperGroup):
    """A group of commands whose errors end in a sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            with _warnings_as_sentences():
                try:
                    return super().invoke(ctx)
                finally:
                    sys.stdout.flush()
        except WorkbenchError as error:
            if os.environ.get("WORKBENCH_DEBUG", "0") not in ("", "0"):
                traceback.print_exc()
            typer.secho(f"Error: {error}", err=True, fg="red")
            raise typer.Exit(ExitCode.INPUT) from error
        except KeyboardInterrupt:
            typer.echo(
                "\nInterrupted. Texts that were encoded already are kept; give the command again to go on.",
                err=True,
            )
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except BrokenPipeError:
            # Whoever read our output has closed it, as `head` does; what is left must not be flushed into it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(ExitCode.BROKEN_PIPE) from None


@contextmanager
def _warnings_as_sentences() -> Iterator[None]:
    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        typer.secho(f"Warning: {message}", err=True, fg="yellow")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield

"""How a command runs: in which language, with which exit code, errors and warnings as sentences on stderr."""

from __future__ import annotations

import copy
import os
import re
import shlex
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from functools import partial
from typing import Any, cast, get_args

import typer
from typer.core import TyperGroup

from workbench.asking import asked_by
from workbench.cli.output import PIECE, tell
from workbench.errors import InputError, WorkbenchError
from workbench.i18n import N_, Language, current_language, language
from workbench.i18n import gettext as _
from workbench.settings import holding
from workbench.visible import visible

# What typer's own module of help pages says.
LIBRARY = {
    "ARGUMENTS_PANEL_TITLE": N_("Arguments"),
    "OPTIONS_PANEL_TITLE": N_("Options"),
    "COMMANDS_PANEL_TITLE": N_("Commands"),
    "ERRORS_PANEL_TITLE": N_("Error"),
    "ABORTED_TEXT": N_("Aborted."),
    "DEFAULT_STRING": N_("[default: {}]"),
    "REQUIRED_LONG_STRING": N_("[required]"),
    "RICH_HELP": N_("Try [blue]'{command_path} {help_option}'[/] for help."),
}
# Said of the option that every command has.
HELP_OPTION = N_("Show this message and exit.")
# Where rich may break a line: it knows of spaces only, and cuts off what then has no room. Spaces go with
# what follows them, since it does not see that one behind wide characters is beyond the end.
BREAKS = re.compile(rf"\s*{PIECE}")

# Options whose names on the command line are others than in Python.
FLAGS = {"columns": "--column", "encoding": "--file-encoding", "labelled": "--unlabelled"}


class ExitCode(IntEnum):
    """What the shell sees."""

    FINE = 0
    NO = 1
    INPUT = 2
    CANNOT_TELL = 3
    FAULT = 70  # EX_SOFTWARE of sysexits.h, so that a crash is not taken for a "no"
    INTERRUPTED = 130
    BROKEN_PIPE = 141


class Group(TyperGroup):
    """A group of commands whose errors end in a sentence and an exit code, in the language asked for."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        with _speaking(_asked_for(sys.argv[1:] if args is None else args)):
            return super(Group, _in_language_now(self)).main(args, *rest, **options)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        command = super().get_command(ctx, cmd_name)
        return None if command is None else _in_language_now(command)

    def make_context(self, *names: Any, **options: Any) -> Any:
        with _visible_usage():
            return super().make_context(*names, **options)

    def invoke(self, ctx: Any) -> Any:
        try:
            with _warnings_as_sentences(), _visible_usage():
                try:
                    return super().invoke(ctx)
                finally:
                    sys.stdout.flush()
        except WorkbenchError as error:
            if os.environ.get("WORKBENCH_DEBUG", "0") not in ("", "0"):
                traceback.print_exc()
            tell(_("Error: {error}").format(error=error), fg="red")
            raise typer.Exit(ExitCode.INPUT) from error
        except KeyboardInterrupt:
            said = _(
                "Interrupted. Texts that were encoded already are kept; give the command again to go on."
            )
            tell(f"\n{said}")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except BrokenPipeError:
            # Whoever read our output has closed it, as `head` does; what is left must not be flushed into it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(ExitCode.BROKEN_PIPE) from None


def help_texts(app: typer.Typer) -> set[str]:
    """All that the help pages of an app say, in English, for the catalogue of messages."""
    found: set[str] = set()
    commands = [typer.main.get_command(app)]
    while commands:
        command: Any = commands.pop()
        said = [command.help]
        for parameter in command.params:
            said += [parameter.help, parameter.show_default]
        # A default of one word is a name, not a sentence.
        found.update(text for text in said if isinstance(text, str) and " " in text)
        commands += getattr(command, "commands", {}).values()
    return found


def _as_option(command: Any, name: str, values: tuple[object, ...]) -> str:
    """An option of a command as the shell takes it; an empty text if the command has none."""
    flag = FLAGS.get(name, f"--{name.replace('_', '-')}")
    if not any(flag in parameter.opts for parameter in command.params):
        return ""
    if len(values) == 1 and isinstance(values[0], bool):
        return flag
    texts: list[object] = []
    for value in values:
        # {ours: theirs}, as --column takes it.
        texts += [f"{key}={told}" for key, told in value.items()] if isinstance(value, dict) else [value]
    return " ".join(f"{flag} {shlex.quote(str(text))}" for text in texts)


def _asked_for(arguments: Sequence[str]) -> Language | None:
    """The language that ``--language`` names, read before help pages are written in it."""
    for here, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, _equals, value = here.partition("=")
        wanted = value or following
        if name == "--language" and wanted in get_args(Language):
            return cast(Language, wanted)
    return None


@contextmanager
def _speaking(asked: Language | None) -> Iterator[None]:
    """Speak the language asked for, also in processes that are started; else that of the settings."""
    try:
        code = asked or current_language()
    except InputError:
        # The settings say what is wrong with it to those who read them.
        code = "en"
    with language(code), holding(os.environ, {"WORKBENCH_LANGUAGE": asked} if asked else {}):
        if code == "en":
            yield
            return
        from rich import _wrap
        from typer import rich_utils

        said = {name: _(text) for name, text in LIBRARY.items()}
        with holding(vars(rich_utils), said), holding(vars(_wrap), {"re_word": BREAKS}):
            yield


def _in_language_now(command: Any) -> Any:
    """A command whose help is in the language now, and whose sentences name its options as the shell does."""
    said = copy.copy(command)
    said.help = _(command.help) if command.help else command.help
    parameters: list[Any] = []

    def get_params(ctx: Any) -> list[Any]:
        # Always the same ones, since the parser knows them by identity.
        if not parameters:
            parameters.extend(map(_parameter_in_language_now, command.get_params(ctx)))
        return parameters

    def invoke(ctx: Any) -> Any:
        with asked_by(partial(_as_option, command)):
            return command.invoke(ctx)

    said.get_params = get_params
    said.invoke = invoke
    return said


def _parameter_in_language_now(parameter: Any) -> Any:
    said = copy.copy(parameter)
    for name in ("help", "show_default"):
        text = getattr(parameter, name, None)
        if text and isinstance(text, str):
            setattr(said, name, _(text))
    return said


@contextmanager
def _visible_usage() -> Iterator[None]:
    """What click says of arguments, which it prints itself: a name of a file may be among them."""
    try:
        yield
    except Exception as error:
        # Which click it is, its own or typer's, depends on typer's version.
        if isinstance(getattr(error, "message", None), str):
            error.message = visible(error.message)  # type: ignore[attr-defined]
        raise


@contextmanager
def _warnings_as_sentences() -> Iterator[None]:
    def show(message: Warning | str, category: type[Warning], *rest: Any, **options: Any) -> None:
        tell(_("Warning: {message}").format(message=message), fg="yellow")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield

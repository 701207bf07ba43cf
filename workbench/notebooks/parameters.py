"""The parameters that a notebook declares, and whether given values fit them.

papermill only warns of a parameter that the notebook does not have, and its own inspection passes over
a default with ``=`` in it; here the cell tagged ``parameters`` is parsed as the Python that it is.
"""

from __future__ import annotations

import ast
import io
import json
import os
import tokenize
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import InputError, NotebookError

__all__ = ["NotebookParameter", "checked_values", "parameters_of", "read_notebook", "values_from_text"]

_KINDS: dict[str, type] = {kind.__name__: kind for kind in (bool, int, float, str, list, tuple, dict)}
_KINDS["None"] = types.NoneType


@dataclass(frozen=True)
class NotebookParameter:
    """One assignment of the cell tagged ``parameters``.

    Attributes
    ----------
    name : str
    default : str
        As the notebook writes it.
    kinds : tuple of type
        Types that a value may have: those of the annotation, else that of the default; empty where
        neither shows one, and then any value goes.
    help : str
        The comment above the assignment, or behind it.
    """

    name: str
    default: str
    kinds: tuple[type, ...] = ()
    help: str = ""

    def __str__(self) -> str:
        return f"{self.name} = {self.default}"

    @property
    def takes(self) -> str:
        """The types for people: ``"int or None"``."""
        return " or ".join("None" if kind is types.NoneType else kind.__name__ for kind in self.kinds)


def read_notebook(path: str | Path) -> Any:
    """Read a notebook file as nbformat version 4.

    Raises
    ------
    InputError
        If the file is not there or is no Jupyter notebook.
    """
    import nbformat

    try:
        notebook = nbformat.reads(Path(path).read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(notebook)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path} is not a Jupyter notebook ({reason}).") from error
    return notebook


def parameters_of(path: str | Path) -> dict[str, NotebookParameter]:
    """The parameters that a notebook declares, by name; none where it has no cell for them.

    Raises
    ------
    InputError
        If the file is no notebook.
    NotebookError
        If its parameter cell is not Python.
    """
    cells = [c for c in read_notebook(path).cells if "parameters" in c.get("metadata", {}).get("tags", ())]
    if not cells:
        return {}
    try:
        statements = ast.parse(cells[0].source).body
    except SyntaxError as error:
        raise NotebookError(
            f"The parameter cell of {Path(path).name} is not Python: {error.msg} in line {error.lineno}."
        ) from error
    comments = _comments(cells[0].source)
    found = (_parameter(statement, comments) for statement in statements)
    return {parameter.name: parameter for parameter in found if parameter is not None}


def checked_values(
    given: Mapping[str, Any], declared: Mapping[str, NotebookParameter], notebook: str
) -> dict[str, Any]:
    """The given values, with paths as strings.

    Raises
    ------
    NotebookError
        If the notebook has no such parameter (with those it has), or a value has the wrong type.
    """
    _refuse_unknown(given, declared, notebook)
    values = {}
    for name, value in given.items():
        value = os.fspath(value) if isinstance(value, os.PathLike) else value
        kinds = declared[name].kinds
        if kinds and not any(_fits(value, kind) for kind in kinds):
            raise NotebookError(
                f"Parameter {name} of {notebook} takes {declared[name].takes} "
                f"(default {declared[name].default}), not {type(value).__name__} {value!r:.60}."
            )
        values[name] = value
    return values


def values_from_text(
    pairs: Iterable[tuple[str, str]], declared: Mapping[str, NotebookParameter], notebook: str
) -> dict[str, Any]:
    """Values from the command line, each read as the type that the notebook declares.

    A query that happens to be ``2024`` stays a string where the default is a string.

    Raises
    ------
    NotebookError
        As :func:`checked_values`, and if a text cannot be read as the declared type.
    """
    given = dict(pairs)
    _refuse_unknown(given, declared, notebook)
    return {name: _from_text(text, declared[name], notebook) for name, text in given.items()}


def _parameter(statement: ast.stmt, comments: Mapping[int, str]) -> NotebookParameter | None:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            kinds: tuple[type, ...] = ()
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr() as value):
            kinds = _annotated(annotation)
        case _:
            return None
    if not kinds:
        try:
            default = ast.literal_eval(value)
        except ValueError:
            default = None
        kinds = () if default is None else (type(default),)
    lines = (statement.lineno - 1, statement.end_lineno or statement.lineno)
    remarks = dict.fromkeys(comments[line] for line in lines if line in comments)
    return NotebookParameter(name, ast.unparse(value), kinds, "; ".join(remarks))


def _comments(source: str) -> dict[int, str]:
    """Comments by line."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ").rstrip()
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _annotated(annotation: ast.expr) -> tuple[type, ...]:
    """Types of a simple annotation such as ``list[str] | None``; empty if any part is not known."""
    match annotation:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            sides = _annotated(left), _annotated(right)
            return sides[0] + sides[1] if all(sides) else ()
        case ast.Subscript(value=value):
            return _annotated(value)
        case ast.Name(id=name):
            return (_KINDS[name],) if name in _KINDS else ()
        case ast.Constant(value=None):
            return (types.NoneType,)
    return ()


def _refuse_unknown(given: Iterable[str], declared: Mapping[str, NotebookParameter], notebook: str) -> None:
    unknown = [name for name in given if name not in declared]
    if not unknown:
        return
    known = (
        f"it has: {', '.join(declared)}" if declared else "it declares none (no cell is tagged 'parameters')"
    )
    raise NotebookError(f"{notebook} has no parameter {', '.join(map(repr, unknown))}; {known}.")


def _fits(value: object, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, float | int)
    if kind in (list, tuple):
        return isinstance(value, list | tuple)
    return isinstance(value, kind)


def _from_text(text: str, parameter: NotebookParameter, notebook: str) -> Any:
    kinds = parameter.kinds
    if not kinds:
        return _literal(text, fallback=text)
    if types.NoneType in kinds and text in ("None", "null"):
        return None
    for kind in (bool, int, float):
        if kind in kinds and (value := _scalar(text, kind)) is not None:
            return value
    if {list, tuple, dict} & set(kinds):
        value = _literal(text, fallback=None)
        if any(_fits(value, kind) for kind in kinds if kind in (list, tuple, dict)):
            return value
    if str in kinds:
        return text
    raise NotebookError(
        f"Parameter {parameter.name} of {notebook} takes {parameter.takes} (default {parameter.default}), "
        f"which {text!r:.60} cannot be read as."
    )


def _scalar(text: str, kind: type) -> Any:
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower())
    try:
        return kind(text)
    except ValueError:
        return None


def _literal(text: str, fallback: Any) -> Any:
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return fallback

"""What goes into a notebook and what comes out: its parameters, and its named results.

papermill only warns of a parameter that the notebook does not have, and its own inspection passes over
a default with ``=`` in it; here the cell tagged ``parameters`` is parsed as the Python that it is. Results
are one JSON object, written whole; what has no faithful JSON form is refused, not rounded off.
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

from workbench.atomic import write_whole
from workbench.errors import InputError, NotebookError
from workbench.i18n import gettext as _
from workbench.i18n import listed
from workbench.results import plain
from workbench.texts import kind_of

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
        return _(" or ").join("None" if kind is types.NoneType else kind.__name__ for kind in self.kinds)


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
        raise InputError(
            _("{file} cannot be read: {reason}.").format(file=path, reason=error.strerror or error)
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            _("{file} is not a Jupyter notebook ({reason}).").format(file=path, reason=reason)
        ) from error
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
            _("The parameter cell of {notebook} is not Python: {reason} in line {line}.").format(
                notebook=Path(path).name, reason=error.msg, line=error.lineno
            )
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
                _("Parameter {name} of {notebook} takes {kinds} (default {default}), not {type}.").format(
                    name=name,
                    notebook=notebook,
                    kinds=declared[name].takes,
                    default=declared[name].default,
                    type=kind_of(value),
                )
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


def save_results(path: str | Path | None, /, **results: Any) -> None:
    """Write named results as a JSON object.

    numpy scalars and arrays become numbers and lists, a pandas frame a list of rows, a series a
    list; dates become ISO strings, paths strings, NaN and missing values null; an object with
    ``to_dict()`` and a dataclass become objects.

    Parameters
    ----------
    path : str, Path or None
        Nothing is written where it is empty or None: a notebook that is worked through by hand
        leaves no file.
    **results
        What to keep, by name.

    Raises
    ------
    InputError
        If a value has no JSON form (with its name): an object of another class, an infinite number.
    StoreError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_results(f"{folder}/run.json", n=np.int64(8), scores=np.array([0.5, 0.25]))
    ...     read_results(f"{folder}/run.json")
    {'n': 8, 'scores': [0.5, 0.25]}
    """
    # A path from a notebook's parameter cell is "" unless somebody asks for the file.
    if path is None or not os.fspath(path):
        return
    said = {name: plain(value, name) for name, value in results.items()}
    write_whole(path, json.dumps(said, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def read_results(path: str | Path) -> dict[str, Any]:
    """Read what :func:`save_results` wrote.

    Raises
    ------
    InputError
        If there is no such file, or it holds no JSON object.
    """
    try:
        results = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            _("There are no results at {file}; run the notebook first.").format(file=path)
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            _("{file} cannot be read as results: {reason}").format(file=path, reason=error)
        ) from error
    if not isinstance(results, dict):
        raise InputError(
            _("{file} holds no named results (a JSON object), but a {type}.").format(
                file=path, type=type(results).__name__
            )
        )
    return results


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
    said = (
        _("{notebook} has no parameter {unknown}; it has: {known}.")
        if declared
        else _("{notebook} has no parameter {unknown}; it declares none (no cell is tagged 'parameters').")
    )
    raise NotebookError(
        said.format(notebook=notebook, unknown=listed(map(repr, unknown)), known=listed(declared))
    )


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
        _(
            "Parameter {name} of {notebook} takes {kinds} (default {default}), which {text} cannot be read "
            "as."
        ).format(
            name=parameter.name,
            notebook=notebook,
            kinds=parameter.takes,
            default=parameter.default,
            text=f"{text!r:.60}",
        )
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

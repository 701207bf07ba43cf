"""What columns of labelled pairs must hold, declared with pandera, and what does not fit, with its rows.

Frames come in with all values as text and row numbers as their index. What must hold between rows is in
:mod:`workbench.pairs.checks`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from workbench.pairs.problems import Problem

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import DataFrameSchema

__all__ = [
    "ANNOTATION_COLUMNS",
    "ANNOTATOR_NAME",
    "NUMBER_COLUMNS",
    "PAIR_COLUMNS",
    "annotation_schema",
    "misfits",
    "pair_schema",
]

PAIR_COLUMNS = ("pair_id", "jd", "resume")
ANNOTATION_COLUMNS = ("pair_id", "annotator", "label", "labelled_at", "note")
# Columns that mean the same in every set; all others are groups, and stay text.
NUMBER_COLUMNS = ("weight", "inclusion_probability", "score")

# A name becomes the name of a file.
ANNOTATOR_NAME = r"[^\W_][\w\-.@+]{0,63}"
_ISO_8601 = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?"


@cache
def pair_schema() -> DataFrameSchema:
    """Schema of pairs: ``pair_id, jd, resume`` not empty; weights and scores, where given, numbers."""
    import pandera.pandas as pa

    filled = pa.Check(lambda values: values.ne(""), error="empty, where a text was expected")
    optional = {
        "weight": pa.Check(lambda values: _number(values).gt(0), error="not a number above 0"),
        "inclusion_probability": pa.Check(
            lambda values: _number(values).between(0, 1, inclusive="right"),
            error="not a number above 0 and at most 1",
        ),
        "score": pa.Check(lambda values: _number(values).between(-1, 1), error="not a number from -1 to 1"),
    }
    columns: dict[str, Any] = {name: pa.Column(checks=filled) for name in PAIR_COLUMNS}
    columns |= {name: pa.Column(checks=check, required=False) for name, check in optional.items()}
    return pa.DataFrameSchema(columns)


@cache
def annotation_schema() -> DataFrameSchema:
    """Schema of annotations: ``pair_id, annotator, label`` on the scale; time and note may be empty."""
    import pandera.pandas as pa

    filled = pa.Check(lambda values: values.ne(""), error="empty, where a text was expected")
    name = pa.Check(
        lambda values: values.str.fullmatch(ANNOTATOR_NAME),
        error="not a name that a file could have (letters, digits, and - . @ + _ after the first, "
        "64 characters at most)",
    )
    scale = pa.Check(
        lambda values: values.isin(["", "0", "1", "2", "3"]),
        error="not a label; expected 0 or 1, or a grade from 0 to 3",
    )
    time = pa.Check(
        lambda values: values.eq("") | values.str.fullmatch(_ISO_8601),
        error="not a time such as 2026-03-01T09:30:00Z",
    )
    return pa.DataFrameSchema(
        {
            "pair_id": pa.Column(checks=filled),
            "annotator": pa.Column(checks=name),
            "label": pa.Column(checks=scale),
            "labelled_at": pa.Column(checks=time, required=False),
        }
    )


def misfits(frame: pd.DataFrame, schema: DataFrameSchema, file: str) -> list[Problem]:
    """What of a frame does not fit the schema: one problem for each column and check, with all its rows.

    Columns that are not there are no matter of this; values are text.
    """
    import pandera.pandas as pa

    known = [name for name in schema.columns if name in frame.columns]
    try:
        schema.select_columns(known).validate(frame[known], lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return []
    return [
        Problem(
            file, str(column), tuple(map(int, sorted(group["index"]))), _said(check, group["failure_case"])
        )
        for (column, check), group in cases.groupby(["column", "check"], sort=False)
    ]


def _said(check: str, values: Iterable[Any]) -> str:
    """What was found, where it is something, and what is wrong with it."""
    found = list(dict.fromkeys(str(value) for value in values if value != ""))
    shown = ", ".join(f"{value!r:.40}" for value in found[:3])
    return f"{shown}{', …' if len(found) > 3 else ''}: {check}" if found else check


def _number(values: pd.Series[str]) -> pd.Series[float]:
    import pandas as pd

    return pd.to_numeric(values, errors="coerce")

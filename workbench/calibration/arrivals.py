"""When pairs came in, and what each JD amounts to: the units of :mod:`workbench.calibration.sequential`."""

from __future__ import annotations

import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from workbench.calibration.observations import FloatArray, Observations, check_column
from workbench.errors import InputError
from workbench.i18n import gettext as _


def arrival_times(pairs: pd.DataFrame, column: str) -> pd.Series:
    """The times in a column, as dates or as numbers.

    Parameters
    ----------
    pairs : DataFrame
        Its index is not read.
    column : str
        Dates, texts such as ``2026-03-31`` or ``2026-03-31 14:05``, or numbers. Other ways to write a date
        are refused: ``03/04/2026`` is one day here and another there.

    Raises
    ------
    InputError
        If there is no such column, or a time is missing or cannot be read; with its row, the first being 1.

    Examples
    --------
    >>> arrival_times(pd.DataFrame({"day": ["2026-03-31", "2026-03-30 14:05"]}), "day").dt.day.tolist()
    [31, 30]
    """
    check_column(pairs, column)
    given = pairs[column].reset_index(drop=True)
    times = given
    if not is_datetime64_any_dtype(given):
        times = pd.to_numeric(given, errors="coerce")
        if is_bool_dtype(given) or (times.isna() & given.notna()).any():
            texts = given.where(given.isna(), given.astype(str))
            times = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)
    bad = times.isna() | (times.abs().eq(float("inf")) if is_numeric_dtype(times) else False)
    if bad.any():
        row = int(bad.to_numpy().argmax())
        said = (
            _(
                "The time in row {row} of the labelled pairs, column {column}, is missing ({n} such rows); "
                "every pair needs one."
            )
            if given.isna().iloc[row]
            else _(
                "The time in row {row} of the labelled pairs, column {column}, is {value} ({n} such rows); "
                "times are written as 2026-03-31 or 2026-03-31 14:05, or as numbers, and all in one way."
            )
        )
        raise InputError(
            said.format(row=row + 1, column=repr(column), value=repr(str(given.iloc[row])), n=int(bad.sum()))
        )
    return times


def jd_totals(
    observations: Observations, hits: FloatArray, side: FloatArray, times: pd.Series, most_per_jd: int
) -> pd.DataFrame:
    """What each JD amounts to on one side of a cutoff, in the order in which JDs were complete.

    Parameters
    ----------
    observations : Observations
        Without clusters, each pair is a unit of its own.
    hits, side : ndarray of {0, 1}, shape (n,)
        What is counted, and which pairs are on that side.
    times : Series, shape (n,)
    most_per_jd : int
        A JD with more pairs on that side counts as so many, with the share of hits that all of them have:
        what a draw of so many of them would hold on average.

    Returns
    -------
    DataFrame
        One row a JD with a pair on that side: ``time`` of its last pair, ``pairs``, ``counted`` (of these,
        at most `most_per_jd`) and ``hits`` among those counted. JDs of the same time are in an order that
        depends on their numbers alone, not on the order of rows.
    """
    unit = range(len(observations)) if observations.clusters is None else observations.clusters
    pairs = pd.DataFrame({"unit": unit, "time": times.to_numpy(), "pairs": side, "hits": hits * side})
    totals = pairs.groupby("unit").agg({"time": "max", "pairs": "sum", "hits": "sum"})
    totals = totals[totals["pairs"] > 0]
    totals["counted"] = totals["pairs"].clip(upper=most_per_jd)
    totals["hits"] *= totals["counted"] / totals["pairs"]
    return totals.sort_values(["time", "counted", "hits", "pairs"], ignore_index=True)

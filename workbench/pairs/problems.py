"""What is wrong with a file of labelled pairs: every problem at once, with file, row and column.

How problems are found is in :mod:`workbench.pairs.schema` and :mod:`workbench.pairs.checks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PairsError", "Problem", "places"]

MOST_SHOWN = 20
MOST_ROWS = 8


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, wherever it occurs.

    Attributes
    ----------
    file : str
        Name of the file.
    column : str or None
        Name of the column in that file; None where it is about more than one.
    rows : tuple of int
        Rows as a spreadsheet counts them, the header being row 1 (lines, in JSON Lines); empty where it
        is about the whole file.
    what : str
        A sentence without its full stop: what is wrong, and what was expected.
    """

    file: str
    column: str | None
    rows: tuple[int, ...]
    what: str

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column is not None else ""
        at = f" ({places(self.rows)})" if self.rows else ""
        return f"{self.file}{column}: {self.what}{at}"


class PairsError(InputError):
    """A file of labelled pairs cannot be used as it is.

    Attributes
    ----------
    problems : tuple of Problem
        All of them; the message shows the first ones.
    """

    def __init__(self, problems: Sequence[Problem], *, advice: str = "", done: str = "read") -> None:
        self.problems = tuple(problems)
        rows = sum(max(1, len(problem.rows)) for problem in self.problems)
        head = f"{rows} problem{'s' * (rows != 1)} in the labelled pairs; nothing was {done}."
        lines = [f"  - {problem}" for problem in self.problems[:MOST_SHOWN]]
        if len(self.problems) > MOST_SHOWN:
            lines.append(f"  - and {len(self.problems) - MOST_SHOWN} more (see .to_frame())")
        super().__init__("\n".join(filter(None, [head, *lines, advice])))

    def to_frame(self) -> pd.DataFrame:
        """All problems, one line for each row: ``file, row, column, what``; without row for a whole file."""
        import pandas as pd

        records = [
            (problem.file, row, problem.column, problem.what)
            for problem in self.problems
            for row in (problem.rows or (None,))
        ]
        return pd.DataFrame(records, columns=["file", "row", "column", "what"]).astype({"row": "Int64"})


def places(rows: Sequence[int], most: int = MOST_ROWS) -> str:
    """Row numbers for people.

    Examples
    --------
    >>> places([2]), places([2, 5, 9])
    ('row 2', 'rows 2, 5, 9')
    >>> places(range(2, 100), most=3)
    'rows 2, 3, 4 and 95 more'
    """
    shown = ", ".join(str(row) for row in rows[:most])
    more = f" and {len(rows) - most} more" if len(rows) > most else ""
    return f"row{'s' * (len(rows) != 1)} {shown}{more}"

"""Executing notebooks as reports: parameters checked, output and HTML kept, results in a JSON file.

What the notebooks say is in the notebooks themselves; nothing here knows any of them.
"""

from __future__ import annotations

from workbench.notebooks.parameters import NotebookParameter, parameters_of
from workbench.notebooks.results import read_results, save_results
from workbench.notebooks.run import NotebookRun, find_notebook, run_notebook

__all__ = [
    "NotebookParameter",
    "NotebookRun",
    "find_notebook",
    "parameters_of",
    "read_results",
    "run_notebook",
    "save_results",
]

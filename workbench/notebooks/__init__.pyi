from .run import NotebookRun, find_notebook, run_notebook
from .skill_texts import SkillTexts, read_skill_texts
from .values import NotebookParameter, parameters_of, read_results, save_results

__all__ = [
    "NotebookParameter",
    "NotebookRun",
    "SkillTexts",
    "find_notebook",
    "parameters_of",
    "read_results",
    "read_skill_texts",
    "run_notebook",
    "save_results",
]

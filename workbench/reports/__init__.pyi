from .comparison import comparison_html, write_comparison_report
from .study import figures_table, study_html, write_study_report

__all__ = [
    "comparison_html",
    "figures_table",
    "study_html",
    "write_comparison_report",
    "write_study_report",
]

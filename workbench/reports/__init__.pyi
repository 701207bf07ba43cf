from .audit import audit_frame, audit_html, write_audit
from .comparison import comparison_html, write_comparison_report
from .shortlist import coverage_html, ranking_html, shortlist_html, write_shortlist_report
from .study import figures_table, study_html, write_study_report

__all__ = [
    "audit_frame",
    "audit_html",
    "comparison_html",
    "coverage_html",
    "figures_table",
    "ranking_html",
    "shortlist_html",
    "study_html",
    "write_audit",
    "write_comparison_report",
    "write_shortlist_report",
    "write_study_report",
]

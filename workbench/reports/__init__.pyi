from .audit import audit_frame, audit_html, write_audit
from .comparison import comparison_html, write_comparison_report
from .study import figures_table, study_html, write_study_report

__all__ = [
    "audit_frame",
    "audit_html",
    "comparison_html",
    "figures_table",
    "study_html",
    "write_audit",
    "write_comparison_report",
    "write_study_report",
]

"""Reports for people: one HTML file that needs nothing else, neither a server nor another site.

What is said and drawn comes from :mod:`workbench.calibration` and :mod:`workbench.plots`; it is laid out
here.
"""

from workbench.reports.comparison import comparison_html, write_comparison_report
from workbench.reports.study import study_html, write_study_report

__all__ = ["comparison_html", "study_html", "write_comparison_report", "write_study_report"]

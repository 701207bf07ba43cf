from .calibration_panel import CalibrationPanel
from .cards import disagreements_html, hits_csv, hits_frame, hits_html, vector_html
from .labelling_panel import LabellingPanel
from .map_panel import MapPanel
from .rank_panel import RankPanel
from .search_panel import SearchPanel

__all__ = [
    "CalibrationPanel",
    "LabellingPanel",
    "MapPanel",
    "RankPanel",
    "SearchPanel",
    "disagreements_html",
    "hits_csv",
    "hits_frame",
    "hits_html",
    "vector_html",
]

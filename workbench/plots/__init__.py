"""Figures: arrays and frames in, a matplotlib figure in the house style out. Nothing is computed here
beyond what layout needs, and matplotlib is imported when the first figure is asked for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

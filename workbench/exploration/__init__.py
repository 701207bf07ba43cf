"""Exploration: what is inside the vectors, and the map of skills. Arrays, texts and frames in, results out.

Nothing here imports an encoder. Names are imported when they are used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""Labelled pairs: reading and checking them, how far people agree, what to label next, exchange of formats.

Frames in, frames and results out; nothing here imports an encoder. Names, listed in ``__init__.pyi``, are
imported when they are used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

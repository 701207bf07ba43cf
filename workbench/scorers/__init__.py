"""Scorers: a JD and a résumé in, one score out, with the evidence behind it; a file a scorer.

Names, listed in ``__init__.pyi``, are imported when they are used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

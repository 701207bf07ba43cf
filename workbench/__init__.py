"""A workbench for semantic JD–résumé matching: search, look inside the vectors, recalibrate the cutoff.

Names are listed in ``__init__.pyi`` and imported when they are first used: ``import workbench`` stays fast.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""From labelled pairs with scores to a cutoff with its evidence; arrays and frames only, no encoder.

Start at :func:`calibrate`, which does all of it, or at the pieces: :class:`Observations` (checked input),
:func:`sweep` (every figure at every cutoff), :func:`verdict`, :func:`choose`, :func:`guarantee_precision`.
Names, listed in ``__init__.pyi``, are imported when they are used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""Encoders: from texts to unit vectors, one file an encoder, and the store that keeps their vectors.

:func:`load_encoder` takes a name, a folder or an address; what a vector depends on is in the encoder's
recipe, and in short in its fingerprint. What encoders run on is in :mod:`workbench.encoders.fast`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

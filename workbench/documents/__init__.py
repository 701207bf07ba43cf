"""Files, folders and pasted texts as documents with parts: JDs with requirements, résumés with phrases.

Nothing is cut, and nothing here imports an encoder. Names, listed in ``__init__.pyi``, are imported when they
are used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

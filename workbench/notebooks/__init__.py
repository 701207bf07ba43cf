"""Executing notebooks as reports: parameters checked, output and HTML kept, results in a JSON file.

What the notebooks say is in the notebooks themselves; nothing here knows any of them, but for the table of
texts that two of them start from.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

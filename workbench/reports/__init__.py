"""Reports for people: one HTML file that needs nothing else, neither a server nor another site.

What is said and drawn comes from :mod:`workbench.calibration` and :mod:`workbench.plots`; templates lay it
out.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

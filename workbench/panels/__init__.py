"""Panels for notebooks, made of ipywidgets; each has a way to the same result without a front end."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""A workbench for semantic JD–résumé matching: search, look inside the vectors, recalibrate the cutoff.

Names are listed in ``__init__.pyi`` and imported when they are first used: ``import workbench`` stays fast.
"""

from contextlib import suppress

import lazy_loader

__version__ = "0.1.0"

_named, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name):
    # Programs and notebooks start here: before anything is opened, what was to be forgotten is gone.
    if name in __all__:
        from workbench.errors import InputError
        from workbench.forgetting import complete

        # Settings that are none are told of by whoever needs them.
        with suppress(InputError):
            complete()
    return _named(name)

"""Forgetting a person: :mod:`~workbench.forgetting.act` is what is done,
:mod:`~workbench.forgetting.places` where.
"""

import warnings

from workbench.i18n import gettext as _
from workbench.settings import JOURNAL, get_settings


def complete() -> None:
    """For whoever starts: complete what a killed process has begun to forget, and warn of what cannot be.

    Where nothing was begun, it costs a look for one file.
    """
    if (get_settings().cache_dir / JOURNAL).exists():
        from workbench.forgetting import act

        for reason in act.complete():
            warnings.warn(_("Not yet forgotten: {reason}").format(reason=reason), stacklevel=2)

"""What all tests share: settings of their own, so that no test reads or fills a user's cache."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# Slowness is no failure on a machine that runs other things too.
settings.register_profile("workbench", deadline=None)
settings.load_profile("workbench")


@pytest.fixture(scope="session", autouse=True)
def own_settings(tmp_path_factory):
    """Hide the user's ``WORKBENCH_*`` variables; keep the embedding store in a temporary folder."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
            patch.delenv(name)
        patch.setenv("WORKBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield

"""One JupyterLab and one browser for all tests of a module.

Not for the whole session: while playwright is open, an event loop runs in this thread, which tests of
other folders would take for a notebook's.
"""

from __future__ import annotations

import os

import pytest
from live_notebook import NO_BROWSER, chromium, find_chromium, jupyter_lab


def pytest_itemcollected(item):
    """A page that is driven faster than people can, beside other tests, misses a click now and then.

    So a test may have a second try; what is really broken fails twice, and a try that failed is reported.
    """
    item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="module")
def browser():
    executable = find_chromium()
    if executable is None:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_BROWSER)
        pytest.skip(NO_BROWSER)
    with chromium(executable) as browser:
        yield browser


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    with jupyter_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Tells fixtures whether the test failed, for they may keep a picture then."""
    report = (yield).get_result()
    item.failed = getattr(item, "failed", False) or (call.when == "call" and report.failed)

"""The documentation site as a person opens it: from files, without a network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True)
    return folder


def test_its_search_works_and_nothing_is_asked_of_another_machine(browser, site):
    page = browser.new_page()
    asked, failed = [], []
    page.on("request", lambda request: asked.append(request.url) if "file:" not in request.url else None)
    page.on("console", lambda message: failed.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: failed.append(str(error)))
    for name in ("index", "tutorials/hr", "methods", "reference", "gallery"):
        page.goto((site / f"{name}.html").as_uri())
        assert page.locator("h1").count() == 1
    page.get_by_placeholder("Search").fill("adverse impact")
    page.locator(".md-search-result__link").first.click()
    page.wait_for_url("**/*adverse_impact.html*")
    assert not [url for url in asked if not url.startswith(("data:", "blob:"))]
    assert failed == []
    page.close()

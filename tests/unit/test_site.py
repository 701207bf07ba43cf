"""The documentation site: built strictly, complete without a network, no link that leads nowhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]
# Pages that `make docs` adds when it runs the notebooks.
GALLERY = {f"{notebook.stem}.html" for notebook in (ROOT / "notebooks").glob("*.ipynb")}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    site = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)]
    subprocess.run(command, cwd=ROOT, check=True)
    return {path: BeautifulSoup(path.read_text("utf-8"), "html.parser") for path in site.rglob("*.html")}


@pytest.mark.slow
class TestTheSite:
    def test_every_link_within_it_leads_somewhere(self, pages):
        dead = []
        for page, soup in pages.items():
            for link in soup.find_all("a", href=True):
                target = urlsplit(link["href"])
                if target.scheme or target.netloc or not target.path or page.name == "404.html":
                    continue
                found = (page.parent / unquote(target.path)).resolve()
                if not found.exists() and not (found.parent.name == "gallery" and found.name in GALLERY):
                    dead.append((page.name, link["href"]))
        assert not dead

    def test_nothing_is_fetched_from_elsewhere(self, pages):
        outside = [
            (page.name, element.get(attribute))
            for page, soup in pages.items()
            for name, attribute in (("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"))
            for element in soup.find_all(name)
            if urlsplit(element.get(attribute) or "").netloc and "canonical" not in (element.get("rel") or [])
        ]
        assert not outside

    def test_formulas_are_drawn_by_the_browser_itself(self, pages):
        methods = next(soup for page, soup in pages.items() if page.name == "methods.html")
        written = (ROOT / "docs/methods.md").read_text("utf-8").count("```math")
        drawn = methods.select(".formula > math > mrow")
        assert len(drawn) == written >= 4
        assert not any("&" in formula.get_text() or "\\" in formula.get_text() for formula in drawn)

    def test_every_notebook_is_in_the_gallery(self, pages):
        gallery = next(soup for page, soup in pages.items() if page.name == "gallery.html")
        linked = {link["href"].removeprefix("gallery/") for link in gallery.select("li a[href^='gallery/']")}
        assert linked == GALLERY

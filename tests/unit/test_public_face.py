"""What ``import workbench as wb`` offers: all of it is there, documented, and on the reference page."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import pytest

import workbench as wb

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import reference  # noqa: E402


@pytest.mark.parametrize("name", wb.__all__)
def test_every_name_is_there_and_says_what_it_is_for(name):
    value = getattr(wb, name)
    assert not inspect.ismodule(value)
    assert not callable(value) or inspect.getdoc(value)


def test_the_stub_lists_what_it_imports():
    stub = (ROOT / "workbench/__init__.pyi").read_text(encoding="utf-8")
    listed = set(re.findall(r'^    "(\w+)",$', stub, re.MULTILINE)) - {"__version__"}
    assert listed == set(reference.homes()) == set(wb.__all__) - {"__version__"}


def test_the_reference_page_is_up_to_date():
    assert reference.PAGE.read_text(encoding="utf-8") == reference.reference(), "run 'make reference'"


def test_the_reference_page_is_the_same_on_every_machine():
    page = reference.reference()
    assert " at 0x" not in page
    assert str(ROOT) not in page


def test_all_that_the_readme_reaches_is_there():
    used = set(re.findall(r"\bwb\.(\w+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert used
    assert used <= set(wb.__all__)

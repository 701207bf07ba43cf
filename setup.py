"""Compile the catalogue of messages whenever the package is built or installed, editable too.

Everything else about the package is in pyproject.toml.
"""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).parent / "tools"))

from words import compile_catalogue


class BuildWithCatalogue(build_py):
    """Build the modules after the .mo file that goes with them."""

    def run(self) -> None:
        """Compile, then build."""
        compile_catalogue()
        super().run()


setup(cmdclass={"build_py": BuildWithCatalogue})

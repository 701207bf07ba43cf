"""A font with Chinese glyphs for figures, taken from a package, so that no system font is needed.

Only finding and registering the font lives here; sizes and colours are in :mod:`workbench.plots.style`.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from workbench.errors import MissingDependencyError

__all__ = ["cjk_font_path", "font_families"]

_FONT_FILE = "NotoSansCJKsc-Regular.otf"


@cache
def cjk_font_path() -> Path:
    """Where the Noto Sans CJK SC font of the package ``mplfonts`` lies.

    The package is found, not imported: importing it would change matplotlib's settings.

    Raises
    ------
    MissingDependencyError
        If ``mplfonts`` is not installed or its font file is missing.
    """
    spec = find_spec("mplfonts")
    folders = (spec.submodule_search_locations if spec else None) or []
    for folder in folders:
        path = Path(folder) / "fonts" / _FONT_FILE
        if path.is_file():
            return path
    raise MissingDependencyError(
        f"The font {_FONT_FILE} that shows Chinese in figures was not found; "
        "install the package that ships it: pip install mplfonts."
    )


@cache
def font_families() -> tuple[str, ...]:
    """Register the font with matplotlib, once, and return families for ``rcParams["font.family"]``.

    The second family fills in symbols that the first lacks.

    Examples
    --------
    >>> font_families()
    ('Noto Sans CJK SC', 'DejaVu Sans')
    """
    from matplotlib import font_manager

    path = cjk_font_path()
    font_manager.fontManager.addfont(path)
    return font_manager.FontProperties(fname=path).get_name(), "DejaVu Sans"

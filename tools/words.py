"""Gather the sentences of the workbench, merge them into the catalogue, and compile it.

python tools/words.py            extract from the code and merge ('make words')
python tools/words.py compile    write the .mo file that gettext reads; setup.py does that on install
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
CATALOGUE = ROOT / "workbench/locale/zh/LC_MESSAGES/workbench.po"
HEADER = rb"""# Chinese for what the workbench says; 'make words' keeps it in step with the code.
msgid ""
msgstr ""
"Project-Id-Version: jd-resume-workbench\n"
"Language: zh\n"
"Plural-Forms: nplurals=1; plural=0;\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
OPTIONS = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}}


def extracted() -> Catalog:
    """All messages of the package, with the files that they stand in."""
    catalogue = Catalog(charset="utf-8", fuzzy=False)
    found = extract_from_dir(
        ROOT / "workbench", METHODS, OPTIONS, keywords=KEYWORDS, comment_tags=("TRANSLATORS:",)
    )
    for file, _line, message, comments, context in found:
        catalogue.add(message, locations=[(f"workbench/{file}", 0)], auto_comments=comments, context=context)
    for message in sorted(_help_texts()):
        catalogue.add(message, locations=[("workbench/cli/__init__.py", 0)])
    return catalogue


def _help_texts() -> set[str]:
    """Docstrings of commands, and what is said of their options: looked up when a help page is shown."""
    # Here, since an install compiles the catalogue before the package is there.
    from workbench.cli import app
    from workbench.cli.running import help_texts

    return help_texts(app)


def read(path: Path = CATALOGUE) -> Catalog:
    """The catalogue as it is kept."""
    with path.open("rb") as file:
        return read_po(file, locale="zh")


def merge() -> Catalog:
    """The catalogue with all messages of the code and no others; what has no translation yet is empty."""
    catalogue = read()
    catalogue.update(extracted(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def write(catalogue: Catalog, path: Path = CATALOGUE) -> None:
    """Keep the catalogue: sorted by message and without dates, so that changes can be read."""
    with path.open("wb") as file:
        file.write(HEADER)
        write_po(file, catalogue, width=110, sort_output=True, include_lineno=False, omit_header=True)


def compile_catalogue(path: Path = CATALOGUE) -> Path:
    """Write the .mo file beside the catalogue."""
    compiled = path.with_suffix(".mo")
    with compiled.open("wb") as file:
        write_mo(file, read(path))
    return compiled


if __name__ == "__main__":
    if sys.argv[1:] != ["compile"]:
        merged = merge()
        write(merged)
        untranslated = [message.id for message in merged if message.id and not any(message.string or "")]
        print(f"{len(merged)} messages, {len(untranslated)} without Chinese", *untranslated, sep="\n  ")
    compile_catalogue()

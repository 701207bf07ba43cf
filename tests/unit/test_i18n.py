"""One setting for the language, and a catalogue that says all of it in Chinese."""

from __future__ import annotations

import ast
import re
import string
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from workbench.errors import InputError
from workbench.i18n import (
    current_language,
    html_lang,
    language,
    language_of,
    listed,
    number,
    percent,
    set_language,
)
from workbench.i18n import gettext as _

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import words  # noqa: E402

CHINESE = re.compile(r"[\u3400-\u9fff]")
# Modules whose subject is Chinese text itself, and the texts of the examples.
ABOUT_CHINESE = {
    "workbench/examples.py",
    "workbench/retrieval/conditions.py",  # how résumés tell years
    "workbench/documents/facts.py",
    "workbench/documents/pasted.py",  # bullets and numbers of Chinese lists
    "workbench/documents/layout.py",
    "workbench/documents/reading.py",  # names of columns
    "workbench/documents/splitting.py",
    "workbench/documents/tables.py",
    "workbench/documents/wording.py",
    "workbench/exploration/phrases.py",
    "workbench/exploration/terms.py",
    "workbench/files/kinds.py",
}


class TestWhichLanguage:
    @pytest.mark.parametrize(
        ("environ", "expected"),
        [
            ({}, "en"),
            ({"WORKBENCH_LANGUAGE": "zh"}, "zh"),
            ({"WORKBENCH_LANGUAGE": "en", "LANG": "zh_CN.UTF-8"}, "en"),
            ({"LANG": "zh_CN.UTF-8"}, "zh"),
            ({"LANG": "de_DE.UTF-8"}, "en"),
            ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
            ({"LC_ALL": "", "LC_MESSAGES": "zh_TW", "LANG": "en_US"}, "zh"),
        ],
    )
    def test_the_setting_wins_over_the_locale(self, environ, expected):
        assert language_of(environ) == expected

    def test_an_unknown_language_is_refused_with_those_that_there_are(self):
        with pytest.raises(InputError, match="WORKBENCH_LANGUAGE is 'fr'; set it to one of zh, en"):
            language_of({"WORKBENCH_LANGUAGE": "fr"})
        with pytest.raises(InputError, match="'fr'"), language("fr"):
            pass

    def test_a_block_speaks_its_language_and_gives_the_other_back(self):
        with language("en"):
            with language("zh"):
                assert (current_language(), html_lang(), listed([1, 2])) == ("zh", "zh-CN", "1、2")
            assert (current_language(), html_lang(), listed([1, 2])) == ("en", "en", "1, 2")

    def test_a_block_that_fails_gives_the_other_back(self):
        with language("en"):
            with pytest.raises(KeyError), language("zh"):
                raise KeyError
            assert current_language() == "en"

    def test_another_thread_keeps_its_language(self):
        heard = []
        with language("zh"):
            thread = threading.Thread(target=lambda: heard.append(current_language()))
            thread.start()
            thread.join()
        assert heard == [language_of()]

    def test_a_language_that_is_set_holds_in_processes_that_are_started(self, monkeypatch):
        monkeypatch.setenv("WORKBENCH_LANGUAGE", "en")
        set_language("zh")
        said = subprocess.run(
            [sys.executable, "-c", "from workbench.i18n import percent; print(percent(0.5))"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert (percent(0.5), said.stdout) == ("50.0%", "50.0%\n")

    def test_numbers_say_what_is_not_there(self):
        with language("en"):
            assert (percent(0.893), percent(float("nan")), number(None)) == ("89.3 %", "–", "–")
            assert (number(0.4), number(float("nan"))) == ("0.4000", "–")


@pytest.fixture(scope="module")
def catalogue():
    return words.read()


@pytest.fixture(scope="module")
def messages():
    return [message for message in words.extracted() if message.id]


def forms(message: Message) -> list[str]:
    """The English of a message, or the Chinese: one form, or several."""
    return [message] if isinstance(message, str) else list(message or ())


def places(text: str) -> set[str]:
    """Names of what is filled in, of Python's form or of the templates'."""
    named = {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(text) if name}
    return named | set(re.findall(r"%\((\w+)\)s", text))


class TestTheCatalogue:
    def test_something_is_said(self, messages):
        assert len(messages) > 500

    def test_every_message_of_the_code_has_its_chinese(self, catalogue, messages):
        lacking = [m.id for m in messages if not _translation(catalogue, m)]
        assert not lacking, f"run 'make words' and say these in Chinese: {lacking[:10]} ({len(lacking)})"

    def test_no_message_is_kept_that_nothing_says(self, catalogue, messages):
        said = {(m.context, m.id if isinstance(m.id, str) else m.id[0]) for m in messages}
        kept = {(m.context, m.id if isinstance(m.id, str) else m.id[0]) for m in catalogue if m.id}
        assert kept <= said, f"run 'make words': {sorted(kept - said, key=str)[:10]}"

    def test_no_translation_is_fuzzy(self, catalogue):
        assert [m.id for m in catalogue if m.id and m.fuzzy] == []

    def test_what_is_filled_in_has_the_same_names(self, catalogue):
        wrong = []
        for message in filter(lambda m: m.id, catalogue):
            english = set().union(*map(places, forms(message.id)))
            wrong += [m for m in forms(message.string) if not places(m) <= english]
            # Chinese may leave a number of a plural out of one form, but never a name of a sentence.
            if isinstance(message.id, str) and places(message.string) != english:
                wrong.append(message.string)
        assert not wrong, wrong

    def test_a_term_has_one_chinese_word(self, catalogue):
        other_words = {
            "正确率": "精确率",
            "查准率": "精确率",
            "查全率": "召回率",
            "门槛": "阈值",
        }
        wrong = [
            (message.id, f"{other} -> {word}")
            for message in catalogue
            for other, word in other_words.items()
            for said in forms(message.string)
            if message.id and other in said
        ]
        # The word for accuracy must not stand for precision.
        wrong += [m.id for m in catalogue if "准确率" in m.string and "accuracy" not in str(m.id).lower()]
        assert not wrong, wrong

    def test_what_is_installed_is_what_is_kept(self, catalogue):
        with language("zh"):
            wrong = [
                m.id
                for m in catalogue
                if isinstance(m.id, str) and m.id and not m.context and _(m.id) != m.string
            ]
        assert not wrong, "the catalogue is older than its source; install again, or run 'make words'"


def _translation(catalogue, message: Message) -> bool:
    found = catalogue.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
    return found is not None and all(forms(found.string)) and bool(forms(found.string))


def docstring_lines(tree: ast.Module) -> set[int]:
    """Lines of docstrings, whose examples may be of any language."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node) is not None
        for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }


def test_chinese_stands_in_the_catalogue_and_not_in_the_code():
    wrong = []
    for path in sorted((ROOT / "workbench").rglob("*")):
        file = path.relative_to(ROOT).as_posix()
        if path.suffix not in {".py", ".pyi", ".html", ".css", ".js"} or file in ABOUT_CHINESE:
            continue
        source = path.read_text(encoding="utf-8")
        passed_over = docstring_lines(ast.parse(source)) if path.suffix == ".py" else set()
        wrong += [
            f"{file}:{n}: {line.strip()[:60]}"
            for n, line in enumerate(source.splitlines(), 1)
            if n not in passed_over and CHINESE.search(line)
        ]
    assert not wrong, "\n".join(wrong)

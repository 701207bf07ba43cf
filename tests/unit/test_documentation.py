"""What README and docs show is true: their code runs, and prints what they say it prints.

Python blocks of a document run in order in one namespace, in a folder with a copy of the project's
``labeled_pairs/`` and ``notebooks/``. A text block right after one is its output. In console blocks,
``workbench`` commands with output below them are run, the others are only parsed. ``...`` stands for
anything. ``<!-- not run: reason -->`` above a block leaves it out.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import typer
from documents import Block, blocks_of, commands_in, relative_links

from workbench.cli import app

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
DOCUMENTS = [path for path in (*READMES, *sorted((ROOT / "docs").rglob("*.md"))) if path.is_file()]
COPIED = ("labeled_pairs", "notebooks")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder that looks like the project, which examples may write to."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def run_python(blocks: list[Block], name: str) -> int:
    """Run Python blocks in one namespace and compare what they print; returns how many ran."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    python = [block for block in blocks if block.language in ("python", "pycon")]
    for block in python:
        if block.source.lstrip().startswith(">>>"):
            run_session(block, name, namespace)
            continue
        # Empty lines in front make tracebacks point into the document.
        code = compile("\n" * (block.line - 1) + block.source, name, "exec")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, namespace)
        if block.output is not None:
            assert_same(block.output, printed.getvalue(), f"{name}, line {block.line}")
    return len(python)


def run_session(block: Block, name: str, namespace: dict[str, object]) -> None:
    test = doctest.DocTestParser().get_doctest(block.source, namespace, name, name, block.line - 1)
    said: list[str] = []
    doctest.DocTestRunner(optionflags=OPTIONS, verbose=False).run(test, out=said.append, clear_globs=False)
    namespace.update(test.globs)
    assert not said, "".join(said)


def run_commands(blocks: list[Block], name: str) -> int:
    """Run the ``workbench`` commands that show output, parse the others; returns how many were run."""
    ran = 0
    for block in blocks:
        for command in commands_in(block) if block.language == "console" else []:
            words = shlex.split(command.line, comments=True)
            if not (words := [word for word in words if not re.match(r"WORKBENCH_\w+=", word)]):
                continue
            if words[0] != "workbench":
                continue
            if command.output.strip():
                assert_same(command.output, output_of(command.line), f"{name}: {command.line}")
                ran += 1
            else:
                assert_parses(words[1:])
    return ran


def output_of(line: str) -> str:
    # Unbuffered, so that what goes to stdout and stderr comes in the order in which a person sees it.
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        line,
        shell=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        timeout=300,
        check=False,
        encoding="utf-8",
    )
    return done.stdout


def assert_parses(words: list[str]) -> None:
    """Refuse a command or option that does not exist; nothing is run."""
    until = next((place for place, word in enumerate(words) if word in {"|", ">", "&&", ";"}), len(words))
    command, context, rest = typer.main.get_command(app), None, words[:until]
    name: str | None = "workbench"
    while True:
        is_group = hasattr(command, "resolve_command")
        context = command.make_context(name, list(rest), parent=context)
        if not is_group:
            return
        rest = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, rest)


def assert_same(shown: str, real: str, where: str) -> None:
    checker = doctest.OutputChecker()
    if not checker.check_output(shown, real, OPTIONS):
        pytest.fail(
            f"{where} shows\n{textwrap.indent(shown, '    ')}\nbut prints\n{textwrap.indent(real, '    ')}"
        )


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(path, marks=[pytest.mark.slow] if path.name == "README.zh-CN.md" else [])
        for path in DOCUMENTS
    ],
    ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS],
)
def test_python_blocks_run_and_print_what_is_shown(document, project, monkeypatch):
    monkeypatch.setenv("WORKBENCH_LANGUAGE", "zh" if ".zh-CN." in document.name else "en")
    run_python(blocks_of(document), document.name)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_exist_and_print_what_is_shown(document, project, monkeypatch):
    monkeypatch.setenv("WORKBENCH_LANGUAGE", "zh" if ".zh-CN." in document.name else "en")
    run_commands(blocks_of(document), document.name)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_into_the_repository_lead_somewhere(document):
    lost = [link for link in relative_links(document) if not (document.parent / link).exists()]
    assert not lost, f"{document.name} links to what is not there: {', '.join(lost)}"


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_a_readme_has_code_that_is_run(readme):
    if not readme.exists():
        pytest.skip(f"{readme.name} is not written yet")
    assert any(block.language in ("python", "pycon") for block in blocks_of(readme))


class TestTheCheckItself:
    """A check that sees nothing would always pass."""

    def document(self, folder: Path, text: str) -> Path:
        path = folder / "doc.md"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def test_blocks_share_a_namespace_and_output_is_compared(self, project):
        blocks = blocks_of(
            self.document(
                project,
                """
                ```python
                x = "简历"
                ```
                Then
                ```python
                print(x)
                ```

                ```text
                简历
                ```
                """,
            )
        )
        assert run_python(blocks, "doc.md") == 2

    def test_other_output_than_shown_fails(self, project):
        blocks = blocks_of(self.document(project, "```python\nprint(1)\n```\n```text\n2\n```\n"))
        with pytest.raises(pytest.fail.Exception, match=r"doc\.md, line 2 shows"):
            run_python(blocks, "doc.md")

    def test_an_error_points_at_the_line_of_the_document(self, project):
        blocks = blocks_of(self.document(project, "# Title\n\n```python\nx = 1\n1 / 0\n```\n"))
        with pytest.raises(ZeroDivisionError) as raised:
            run_python(blocks, "doc.md")
        assert raised.traceback[-1].lineno + 1 == 5

    def test_a_session_with_prompts_is_a_doctest(self, project):
        blocks = blocks_of(self.document(project, "```pycon\n>>> 1 + 1\n3\n```\n"))
        with pytest.raises(AssertionError, match="Expected:"):
            run_python(blocks, "doc.md")

    def test_a_block_with_a_reason_not_to_run_is_left_out(self, project):
        text = "<!-- not run: needs a GPU -->\n```python\n1 / 0\n```\n"
        assert run_python(blocks_of(self.document(project, text)), "doc.md") == 0

    def test_a_command_is_run_and_compared(self, project):
        blocks = blocks_of(self.document(project, "```console\n$ workbench --version\nworkbench 0...\n```\n"))
        assert run_commands(blocks, "doc.md") == 1

    def test_a_command_with_other_output_fails(self, project):
        blocks = blocks_of(self.document(project, "```console\n$ workbench --version\nworkbench 99\n```\n"))
        with pytest.raises(pytest.fail.Exception, match="workbench --version shows"):
            run_commands(blocks, "doc.md")

    @pytest.mark.parametrize(
        "line", ["workbench serach x", "workbench search x --kbase y", "workbench kb ad x y"]
    )
    def test_a_command_that_does_not_exist_fails_without_being_run(self, project, line):
        with pytest.raises(Exception, match=r"No such (command|option)"):
            run_commands(blocks_of(self.document(project, f"```console\n$ {line}\n```\n")), "doc.md")

    def test_a_command_without_output_is_only_parsed(self, project):
        text = "```console\n$ make demo\n$ workbench lab\n$ workbench run x.ipynb -p k 3 > /dev/null\n```\n"
        assert run_commands(blocks_of(self.document(project, text)), "doc.md") == 0

    def test_links_are_found_but_not_those_in_code_or_on_the_web(self, project):
        text = (
            "[a](x.md#part) ![b](p.png) [c](https://x.y/z) [d](#e)\n"
            "```text\n[f](g.md)\n```\n"
            '<img src="i.png">'
        )
        assert relative_links(self.document(project, text)) == ["x.md", "p.png", "i.png"]

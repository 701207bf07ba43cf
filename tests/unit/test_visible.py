"""What is shown of foreign text: nothing that acts on a terminal, nor turns the line around it."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from typer.testing import CliRunner

from workbench import html
from workbench.cli import app, output
from workbench.cli import main as command_line
from workbench.errors import InputError
from workbench.plots.style import shortened
from workbench.progress import progress_bar
from workbench.retrieval import KnowledgeBase
from workbench.visible import visible

ROOT = Path(__file__).parents[2]
ESC, OVERRIDE = "\x1b[31m", "\u202e"
# More of what matters here than any alphabet has of it.
foreign = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "\x00\x07\r\n\t\x1b\x7f\x85\x9b\x9d\u061c\u200e\u200f\u202a\u202e\u2066\u2067\u2069a护$<"
        ),
    )
)


def acts(text: str) -> list[str]:
    """Characters that do something in the place of being seen, by Unicode's own categories."""
    return [
        character
        for character in text
        if (unicodedata.category(character) in {"Cc", "Cs"} and character not in "\t\n")
        or unicodedata.bidirectional(character)
        in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        or unicodedata.name(character, "").endswith(("-TO-RIGHT MARK", "-TO-LEFT MARK", "LETTER MARK"))
    ]


class TestVisible:
    @given(foreign)
    def test_nothing_acts_and_what_is_harmless_stays(self, text):
        shown = visible(text)
        assert not acts(shown)
        assert visible(shown) == shown
        if not acts(text):
            assert shown == text

    def test_what_acts_stands_there_as_its_escape(self):
        text = "a\x1b]0;own\x07b\u202etxt\u2069\x9b1m"
        assert visible(text) == r"a\x1b]0;own\x07b\u202etxt\u2069\x9b1m"
        assert visible("a\r\nb\tc") == "a\nb\tc"

    def test_marks_of_other_scripts_and_emoji_stay(self):
        text = "שלום 你好 हिन्दी 👩‍⚕️ e\u0301"
        assert visible(text) == text


class TestPages:
    @given(foreign)
    def test_no_template_lets_it_pass(self, text):
        page = html.render("panels/note.html", text=text)
        assert not acts(page)
        asked = html._environment().from_string(
            "{{ x }}{% trans name=x %}of {{ name }}{% endtrans %}"
            "{% trans n=2, name=x %}one {{ name }}{% pluralize %}{{ n }} {{ name }}{% endtrans %}"
            "{{ '<b>'|safe ~ x }}{% set y = x %}<i title='{{ y }}'></i>"
        )
        assert not acts(asked.render(x=text))

    def test_what_is_filled_in_is_still_escaped_once(self):
        template = html._environment().from_string("{{ x }}|{% trans x=x %}of {{ x }}{% endtrans %}|{{ m }}")
        assert template.render(x="<&>", m=Markup("<b>")) == "&lt;&amp;&gt;|of &lt;&amp;&gt;|<b>"

    def test_no_template_trusts_a_text(self):
        """Whatever is HTML already is Markup, which few make."""
        templates = (ROOT / "workbench" / "templates").rglob("*.html")
        trusting = {
            path.name for path in templates if re.search(r"\|\s*safe\b|autoescape", path.read_text("utf-8"))
        }
        assert trusting == set()
        makers = {
            path.relative_to(ROOT / "workbench").as_posix()
            for path in (ROOT / "workbench").rglob("*.py")
            if re.search(r"\bMarkup\(", path.read_text("utf-8"))
        }
        assert makers == {
            "app/server.py",  # tornado's field against forged requests, which tornado has escaped
            "html.py",
            "panels/labelling_panel.py",  # a rubric: mistune has escaped it, and taken out links to scripts
            # Fragments that `render` has made, and that are plain strings to users.
            "panels/map_panel.py",
            "panels/search_panel.py",
            "reports/study.py",
        }


class TestTerminal:
    @given(foreign)
    def test_tables_lines_and_json_let_nothing_pass(self, text):
        with pytest.MonkeyPatch.context() as patch:
            shown = io.StringIO()
            patch.setattr("sys.stdout", shown)
            patch.setattr("sys.stderr", shown)
            output.say(text)
            output.note(text)
            output.print_table([{text: text, "n": 1}], text)
            output.print_facts({text: text})
            output.print_rows([[text, text]])
            output.print_signed([("✓", "green", text)])
            output.print_hits(
                [{"rank": 1, "score": 0.5, "is_match": True, "text": text, "phrase": text}], text
            )
            # What another module puts on the console without asking.
            output.stdout_console().print(text)
            assert not acts(shown.getvalue())
            shown.truncate(0)
            shown.seek(0)
            output.print_json({text: [text]})
            assert not acts(shown.getvalue())
            assert json.loads(shown.getvalue()) == {text: [text]}

    def test_nobody_else_prints(self):
        prints = re.compile(r"^\s*(print|typer\.s?echo|sys\.std(out|err)\.write)\(", re.MULTILINE)
        sources = (ROOT / "workbench").rglob("*.py")
        printing = {path.name for path in sources if prints.search(path.read_text("utf-8"))}
        # The version, and the XML of Label Studio, which hold no foreign text.
        assert printing == {"output.py", "__init__.py", "labelling.py"}

    @pytest.mark.parametrize("colours", [False, True])
    def test_names_in_errors_and_usage_are_written_out(self, tmp_path, monkeypatch, colours):
        monkeypatch.chdir(tmp_path)
        for arguments in (
            ["search", "a", "--kb", f"{ESC}{OVERRIDE}.txt"],
            ["search", f"--{ESC}{OVERRIDE}", "a"],
            [f"--{ESC}{OVERRIDE}"],
            [f"{ESC}{OVERRIDE}"],
        ):
            done = CliRunner().invoke(app, arguments, color=colours)
            assert r"\x1b[31m\u202e" in done.output, arguments
            assert ESC not in done.output.replace(f"{ESC}Error: ", "")
            assert OVERRIDE not in done.output

    def test_a_file_is_ranked_whose_name_and_text_would_drive_the_terminal(self, tmp_path):
        for side in ("jds", "cvs"):
            (tmp_path / side).mkdir()
            (tmp_path / side / f"a{ESC}{OVERRIDE}.txt").write_text(
                f"护士 {ESC}{OVERRIDE}\n要求：急诊", "utf-8"
            )
        done = CliRunner().invoke(
            app, ["rank", str(tmp_path / "jds"), str(tmp_path / "cvs"), "-s", "keyword"]
        )
        assert done.exit_code == 0
        assert not acts(done.output)
        assert done.output.count(r"\x1b[31m\u202e") >= 3

    def test_a_warning_and_a_question_are_written_out(self, tmp_path):
        folder = tmp_path / f"kb{ESC}"
        from character_encoder import CharacterEncoder

        KnowledgeBase.open(folder, CharacterEncoder()).add(["a"])
        done = CliRunner().invoke(app, ["kb", "remove", str(folder), "--row", "0"], input="n\n")
        assert r"kb\x1b[31m" in done.output
        assert not acts(done.output)

    def test_a_progress_bar_names_what_it_does_without_acting(self, capsys):
        with progress_bar(2, f"a{ESC}{OVERRIDE}", True) as bar:
            bar.update(2)
        said = capsys.readouterr().err
        assert r"a\x1b[31m\u202e" in said
        assert ESC not in said
        assert OVERRIDE not in said

    @given(foreign)
    def test_errors_and_figures_let_nothing_pass(self, text):
        assert not acts(str(InputError(text)))
        assert not acts(shortened(text, 40))


class TestFaults:
    def test_a_fault_is_reported_without_what_it_says(self, monkeypatch, capsys):
        name = "王小明 13800138000"

        def fails(**_options):
            raise KeyError(name)

        monkeypatch.setattr("workbench.cli.app", fails)
        for debug, is_said in (("", False), ("1", True)):
            monkeypatch.setenv("WORKBENCH_DEBUG", debug)
            with pytest.raises(SystemExit) as ended:
                command_line()
            said = capsys.readouterr().err
            assert ended.value.code == 70
            assert "KeyError" in said
            assert "in fails" in said
            assert (name in said) is is_said

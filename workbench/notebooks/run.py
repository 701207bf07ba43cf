"""Executing one notebook with papermill, in the interpreter and working directory of the caller.

Relative paths in parameters therefore mean what they mean where the command was given. The executed
notebook, its HTML report and its results lie beside one another under one name. The report is one file that
needs nothing else: no server, no other site. Widgets are left out: without a kernel they are dead, and the
notebooks show the same results without them.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import errors
from workbench.atomic import private_file, private_folder, write_whole
from workbench.errors import InputError, NotebookError
from workbench.i18n import current_language, listed, ngettext
from workbench.i18n import gettext as _
from workbench.notebooks.values import checked_values, parameters_of, read_notebook, read_results
from workbench.progress import hidden
from workbench.results import Result
from workbench.settings import get_settings, holding

REPORTS = Path("reports")
RESULTS_PARAMETER = "results_file"

_WIDGET = "application/vnd.jupyter.widget-view+json"
# What the kernel inherits: figures inline whatever the caller's back end, no bars in the report.
_KERNEL_ENVIRONMENT = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "WORKBENCH_PROGRESS": "0",
}
_FORMULA = re.compile(r"\$[^$\n]+\$|\$\$|\\begin\{")

# A report holds personal texts: it must not load scripts from elsewhere when it is opened.
_TEMPLATE = """\
{%- extends 'index.html.j2' -%}
{%- block html_head_js -%}{%- endblock html_head_js -%}
{%- block jupyter_widgets -%}{%- endblock jupyter_widgets -%}
{%- block html_head_js_mermaidjs -%}{%- endblock html_head_js_mermaidjs -%}
{%- block html_head_js_mathjax -%}MATHJAX{%- endblock html_head_js_mathjax -%}
{%- block data_png scoped -%}
{{- super() | replace("<img ", '<img alt="' ~ (cell.metadata.get("alt", "") | escape_html) ~ '" ', 1) -}}
{%- endblock data_png -%}
{%- block extra_css -%}
<style type="text/css">
  body.jp-Notebook { max-width: 62rem; margin: 0 auto; padding: 1.5rem; }
  .jp-OutputArea-output { overflow-x: auto; }
  .jp-RenderedImage img { max-width: 100%; height: auto; }
</style>
{%- endblock extra_css -%}
"""


@dataclass(frozen=True)
class NotebookRun(Result):
    """What a notebook left behind.

    Attributes
    ----------
    output : Path
        The executed notebook.
    html : Path or None
        The report.
    results_file : Path or None
        The JSON file of named results, where the notebook saved any.
    results : dict or None
        Its content.
    """

    output: Path
    html: Path | None = None
    results_file: Path | None = None
    results: dict[str, Any] | None = None

    def __repr__(self) -> str:
        files = (self.output, self.html, self.results_file)
        return f"<NotebookRun: {', '.join(str(path) for path in files if path is not None)}>"


def run_notebook(
    path: str | Path,
    parameters: Mapping[str, Any] | None = None,
    output: str | Path | None = None,
    *,
    html: bool = True,
    show_code: bool = False,
    progress: bool | None = None,
) -> NotebookRun:
    """Execute a notebook and keep what it says.

    The kernel runs in this interpreter's environment and in the working directory of the caller.
    If the notebook declares a parameter ``results_file`` that is not given, it is set to the name
    of the output with ``.json``, so that its results lie beside it.

    Parameters
    ----------
    path : str or Path
        A file, or the name of one in the project's ``notebooks/`` (``"01_search"``).
    parameters : mapping, optional
        Values for parameters that the notebook declares, of the types that it declares.
    output : str or Path, optional
        The executed notebook (``.ipynb``) or a folder for it; ``reports/`` by default. What an
        earlier run left under the same name is replaced.
    html : bool
        Write the report beside it.
    show_code : bool
        Keep the code in the report.
    progress : bool, optional
        Show a bar over the cells; by default on a terminal or in a notebook.

    Raises
    ------
    InputError
        If `path` is no notebook, or `output` cannot be one.
    NotebookError
        If a parameter is unknown or of the wrong type, or a cell failed. The message names the
        cell and its error; the notebook as far as it came is kept in `output`.
    """
    notebook = find_notebook(path)
    declared = parameters_of(notebook)
    values = checked_values(parameters or {}, declared, notebook.name)
    target = _target(notebook, output)
    if RESULTS_PARAMETER in declared and RESULTS_PARAMETER not in values:
        values[RESULTS_PARAMETER] = str(target.with_suffix(".json"))
    results_file = Path(values[RESULTS_PARAMETER]) if values.get(RESULTS_PARAMETER) else None
    report = target.with_suffix(".html")
    # A run that fails must not leave the report or results of an earlier one to be taken for its own.
    for stale in (report, results_file):
        if stale is not None:
            stale.unlink(missing_ok=True)

    _execute(notebook, target, values, progress)

    saved = results_file is not None and results_file.is_file()
    return NotebookRun(
        output=target,
        html=write_report(target, report, show_code=show_code) if html else None,
        results_file=results_file if saved else None,
        results=read_results(results_file) if saved and results_file else None,
    )


def find_notebook(path: str | Path) -> Path:
    """The notebook file that `path` names: a file, or a name in the project's ``notebooks/``.

    Raises
    ------
    InputError
        If there is none; the message lists the notebooks of the project.
    """
    asked = Path(path)
    folder = get_settings().project_dir / "notebooks"
    if asked.is_file():
        return asked
    if asked.parent == Path() and (named := folder / asked.with_suffix(".ipynb")).is_file():
        return named
    there = listed(sorted(found.stem for found in folder.glob("*.ipynb")))
    said = (
        _("There is no notebook {name}; {folder} has: {names}.")
        if there
        else _("There is no notebook {name}.")
    )
    raise InputError(said.format(name=path, folder=folder, names=there))


def write_report(notebook: str | Path, target: str | Path, *, show_code: bool = False) -> Path:
    """Write the HTML report of an executed notebook.

    Formulas, where there are any, are the one thing that needs another site: MathJax.

    Raises
    ------
    InputError
        If `notebook` is no notebook.
    StoreError
        If `target` cannot be written.
    """
    from nbconvert import HTMLExporter

    document = _with_alternative_texts(_without_widgets(read_notebook(notebook)))
    document.metadata["title"] = _title(document) or Path(notebook).stem
    exporter = HTMLExporter(
        raw_template=_TEMPLATE.replace("MATHJAX", "{{ super() }}" if _has_formulas(document) else ""),
        language_code=current_language(),
        exclude_input=not show_code,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        embed_images=True,
    )
    html, _resources = exporter.from_notebook_node(
        document, resources={"metadata": {"path": str(Path(notebook).parent)}}
    )
    return write_whole(target, html)


def _target(notebook: Path, output: str | Path | None) -> Path:
    target = REPORTS if output is None else Path(output)
    if target.is_dir() or not target.suffix:
        target = target / notebook.name
    if target.suffix != ".ipynb":
        raise InputError(
            _("The output of a notebook is a file that ends in .ipynb, or a folder; not {output}.").format(
                output=output
            )
        )
    if target.resolve() == notebook.resolve():
        raise InputError(
            _("{notebook} would be overwritten by its own output; choose another name or folder.").format(
                notebook=notebook
            )
        )
    try:
        private_folder(target.parent)
    except OSError as error:
        raise InputError(
            _("{folder} cannot be made: {reason}.").format(
                folder=target.parent, reason=error.strerror or error
            )
        ) from error
    if not os.access(target.parent, os.W_OK):
        raise InputError(
            _("{folder} cannot be written to; choose another folder with --output.").format(
                folder=target.parent
            )
        )
    return target


def _execute(notebook: Path, target: Path, values: dict[str, Any], progress: bool | None) -> None:
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    language = read_notebook(notebook).metadata.get("kernelspec", {}).get("language", "python")
    if language.lower() != "python":
        raise NotebookError(
            _("{notebook} is written in {language}; only Python notebooks are run here.").format(
                notebook=notebook.name, language=language
            )
        )
    bar = {"desc": notebook.name, "leave": False, "disable": hidden(progress)}
    kept = _("The notebook as far as it came is {file}.").format(file=target)
    private_file(target)
    try:
        with holding(os.environ, _KERNEL_ENVIRONMENT), _quiet_papermill():
            executed = papermill.execute_notebook(
                _literal_path(notebook),
                _literal_path(target),
                parameters=values,
                kernel_name="python3",
                language="python",
                progress_bar=bar,
                config=_kernel_config(),
                # A kernel that is stopped while it works would write a traceback of its own.
                extra_arguments=["--IPKernelApp.log_level=CRITICAL"],
            )
    except PapermillExecutionError as error:
        raise NotebookError(f"{_where(notebook, error)}: {_reason(error)} {kept}") from None
    except DeadKernelError as error:
        raise NotebookError(
            _(
                "The kernel of {notebook} died, most often for want of memory; try smaller parameters. {kept}"
            ).format(notebook=notebook.name, kept=kept)
        ) from error
    _refuse_unfinished(executed, notebook, kept)


def _refuse_unfinished(executed: Any, notebook: Path, kept: str) -> None:
    """Refuse a run that ended itself: ``sys.exit(0)`` stops a notebook half way, and papermill says fine."""
    cells = [cell for cell in executed.cells if cell.cell_type == "code"]
    for number, cell in enumerate(cells, start=1):
        if any(output.get("ename") == "SystemExit" for output in cell.outputs):
            left = len(cells) - number
            said = ngettext(
                "{notebook} ended itself with sys.exit() in cell [{number}], {left} cell before its end; "
                "that is no finished run. {kept}",
                "{notebook} ended itself with sys.exit() in cell [{number}], {left} cells before its end; "
                "that is no finished run. {kept}",
                left,
            )
            raise NotebookError(
                said.format(notebook=notebook.name, number=cell.execution_count, left=left, kept=kept)
            )


def _where(notebook: Path, error: Any) -> str:
    first_line = next((line.strip() for line in error.source.splitlines() if line.strip()), "")
    return _("{notebook} failed in cell [{number}], which begins {line}").format(
        notebook=notebook.name, number=error.exec_count, line=f"{first_line!r:.80}"
    )


def _reason(error: Any) -> str:
    """What the cell's error says if it is one of ours; of others their kind: a text may stand in them."""
    if error.ename != "SystemExit" and not hasattr(errors, error.ename):
        return _("{kind}; what it says stands in the notebook.").format(kind=error.ename)
    lines = f"{error.ename}: {error.evalue}".rstrip(" :").splitlines()
    reason = lines[0] if len(lines) == 1 else f"{lines[0]} … {lines[-1].strip()}"
    return reason if reason.endswith((".", "!", "?", "\u3002")) else f"{reason}."


def _literal_path(path: Path) -> str:
    # papermill runs str.format over its paths.
    return str(path).replace("{", "{{").replace("}", "}}")


def _kernel_config() -> Any:
    """Encrypt what goes to and from the kernel where this Jupyter can: it is people's résumés."""
    from jupyter_client.manager import KernelManager
    from traitlets.config import Config

    if "transport_encryption" not in KernelManager.class_traits():
        return Config()
    return Config(KernelManager={"transport_encryption": "auto"})


@contextmanager
def _quiet_papermill() -> Iterator[None]:
    """Keep papermill from warning of parameters that its own inspection does not see."""
    logger = logging.getLogger("papermill")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _without_widgets(document: Any) -> Any:
    document.metadata.pop("widgets", None)
    for cell in document.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _only_a_widget(output)]
            for output in cell.outputs:
                output.get("data", {}).pop(_WIDGET, None)
    return document


def _with_alternative_texts(document: Any) -> Any:
    """Give figures the words above them, for those who cannot see them."""
    words = ""
    for cell in document.cells:
        if cell.cell_type == "markdown":
            lines = [line.strip("#*_ ") for line in cell.source.splitlines() if line.strip()]
            words = " ".join(lines) or words
        elif words:
            cell.metadata.setdefault("alt", words)
    return document


def _only_a_widget(output: Any) -> bool:
    shown = set(output.get("data", {}))
    return _WIDGET in shown and shown <= {_WIDGET, "text/plain"}


def _title(document: Any) -> str | None:
    headings = (
        line.lstrip("# ").strip()
        for cell in document.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("# ")
    )
    return next(headings, None)


def _has_formulas(document: Any) -> bool:
    return any(_FORMULA.search(cell.source) for cell in document.cells if cell.cell_type == "markdown")

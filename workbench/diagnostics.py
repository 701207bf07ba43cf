"""What ``workbench doctor`` finds on this machine: facts, and what to do where something is amiss.

Looking changes nothing: no model is loaded, no network asked, no file left behind.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import partial
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from workbench import __version__
from workbench.errors import InputError, WorkbenchError
from workbench.i18n import current_language, language, listed, ngettext, number, pgettext
from workbench.i18n import gettext as _
from workbench.results import Result
from workbench.settings import get_settings

Status = Literal["ok", "note", "problem"]

DISTRIBUTION = "jd-resume-workbench"
# Shown with their versions, since bug reports ask for them, and the extra that brings what may be missing.
SHOWN_PACKAGES = {
    "numpy": None,
    "pandas": None,
    "scikit-learn": None,
    "matplotlib": None,
    "jupyterlab": None,
    "papermill": None,
    "openai": None,
    "transformers": "qwen",
    "sentence-transformers": "qwen",
    "bitsandbytes": "gpu",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# A knowledge base of 100,000 texts with 2,560 dimensions takes 1 GB.
LITTLE_SPACE = 2 * 2**30


# Shows whether there are glyphs for Chinese.
CHINESE = "\u804c\u4f4d\u7b80\u5386\u5339\u914d"


@dataclass(frozen=True)
class Finding(Result):
    """One fact.

    Attributes
    ----------
    topic, name : str
        Such as ``"GPU"`` and ``"torch"``, the same in every language; see :func:`heading`.
    value : str
        Such as ``"2.9.1, no CUDA device"``.
    status : {"ok", "note", "problem"}
        A note is something that can be done without; a problem keeps the workbench from its work.
    advice : str
        What to do about a note or problem.
    """

    topic: str
    name: str
    value: str
    status: Status = "ok"
    advice: str = ""


# Makes a finding of one topic, from its name, value, status and advice.
Find = Callable[..., Finding]


def diagnose() -> list[Finding]:
    """All findings, by topic. A topic that cannot be looked into is a problem itself."""
    topics: dict[str, Callable[[Find], Iterator[Finding]]] = {
        "Python": _python,
        "Packages": _packages,
        "GPU": _gpu,
        "Encoders": _encoders,
        "Settings": _settings,
        "Store": _store,
        "Project": _project,
        "Figures": _figures,
        "Notebooks": _notebooks,
        "Tests": _browser,
    }
    try:
        code: str = current_language()
    except InputError:
        # It is among the settings that this is found.
        code = "en"
    with language(code):
        return [finding for topic, look in topics.items() for finding in _careful(topic, look)]


def heading(name: str) -> str:
    """A topic, or the name of a finding, in the language now; names of packages and in code stay."""
    words = {
        "Packages": _("Packages"),
        "Encoders": _("Encoders"),
        "Settings": _("Settings"),
        "Store": _("Store"),
        "Project": _("Project"),
        "Figures": pgettext("drawn", "Figures"),
        "Notebooks": _("Notebooks"),
        "Tests": _("Tests"),
        "problem": _("problem"),
        "system": _("system"),
        "required": _("required"),
        "writable": _("writable"),
        "free space": _("free space"),
        "vectors": _("vectors"),
        "cutoff cards": _("cutoff cards"),
        "Chinese": _("Chinese"),
        "found": _("found"),
        "kernel": _("kernel"),
        "browser": _("browser"),
    }
    return words.get(name, name)


def _careful(topic: str, look: Callable[[Find], Iterator[Finding]]) -> list[Finding]:
    find: Find = partial(Finding, topic)
    findings = []
    try:
        for finding in look(find):
            findings.append(finding)
    except WorkbenchError as error:
        findings.append(find("problem", str(error), "problem"))
    except Exception as error:  # a broken package may raise anything, and a doctor must not faint
        advice = _("This topic could not be looked into; the package may be damaged: install it again.")
        findings.append(find("problem", f"{type(error).__name__}: {error}", "problem", advice))
    return findings


def _python(find: Find) -> Iterator[Finding]:
    yield find("workbench", __version__)
    said = _("{version} at {place}").format(version=platform.python_version(), place=sys.executable)
    yield find("python", said)
    yield find("system", _("{system}, {n} cores").format(system=platform.platform(), n=os.cpu_count()))


def _packages(find: Find) -> Iterator[Finding]:
    for name, extra in SHOWN_PACKAGES.items():
        try:
            yield find(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            # What is required and missing is found below.
            if extra:
                advice = _("{command} brings it.").format(command=f"pip install '.[{extra}]'")
                yield find(name, _("not installed"), "note", advice)
    yield from _requirements(find)


def _requirements(find: Find) -> Iterator[Finding]:
    from packaging.requirements import Requirement

    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        advice = _("pip install -e . in the project's folder lets the doctor compare versions.")
        yield find("required", _("the workbench itself is not installed"), "note", advice)
        return
    wanted = [Requirement(line) for line in lines]
    wanted = [r for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    fine = 0
    for requirement in wanted:
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            version = None
        if version is not None and requirement.specifier.contains(version, prereleases=True):
            fine += 1
            continue
        found = _("{version}, needed: {needed}").format(
            version=version or _("not installed"), needed=requirement.specifier
        )
        advice = f"pip install '{requirement.name}{requirement.specifier}'"
        yield find(requirement.name, found, "problem", advice)
    yield find("required", _("{n} of {total} as needed").format(n=fine, total=len(wanted)))


def _gpu(find: Find) -> Iterator[Finding]:
    yield from _torch(find)
    if find_spec("faiss") is None:
        advice = _("Searching needs it: pip install '.[cpu]' (or conda's faiss-gpu).")
        yield find("faiss", _("not installed"), "problem", advice)
        return
    faiss = import_module("faiss")
    gpus = faiss.get_num_gpus()
    where = ngettext("{n} GPU", "{n} GPUs", gpus).format(n=gpus) if gpus else "CPU"
    yield find("faiss", f"{faiss.__version__}, {where}")


def _torch(find: Find) -> Iterator[Finding]:
    if find_spec("torch") is None:
        advice = _("Only qwen3 and st: encoders need it: pip install '.[qwen]'.")
        yield find("torch", _("not installed"), "note", advice)
        return
    torch = import_module("torch")
    if not torch.cuda.is_available():
        idle = shutil.which("nvidia-smi") and torch.version.cuda is None
        advice = _("There is an NVIDIA driver here, but this torch is built for the CPU.") if idle else ""
        yield find("torch", _("{version}, no CUDA device").format(version=torch.__version__), "note", advice)
        return
    yield find("torch", f"{torch.__version__}, CUDA {torch.version.cuda}")
    for place in range(torch.cuda.device_count()):
        device = torch.cuda.get_device_properties(place)
        precision = "bfloat16" if device.major >= 8 else "float16"
        yield find(f"cuda:{place}", f"{device.name}, {device.total_memory / 2**30:.0f} GB, {precision}")


def _encoders(find: Find) -> Iterator[Finding]:
    from workbench.encoders import availability

    for entry in availability():
        what = _("{n} dimensions").format(n=entry.dimension) if entry.dimension else _("as its model")
        if entry.dimension and entry.size:
            what = listed([what, f"{entry.size / 1e9:.2g} GB"])
        if entry.available:
            said = _("can be loaded; {what}. {reason}").format(what=what, reason=entry.reason)
            yield find(entry.spec, said)
        else:
            yield find(entry.spec, _("cannot be loaded here; {what}").format(what=what), "note", entry.reason)


def _settings(find: Find) -> Iterator[Finding]:
    settings = get_settings()
    for field in fields(settings):
        value = getattr(settings, field.name)
        yield find(field.name, _("not set") if value is None else str(value))


def _store(find: Find) -> Iterator[Finding]:
    from workbench.encoders import EmbeddingStore

    settings = get_settings()
    folder = next(p for p in (settings.cache_dir, *settings.cache_dir.absolute().parents) if p.is_dir())
    try:
        with tempfile.TemporaryFile(dir=folder):
            yield find("writable", str(folder))
    except OSError as error:
        advice = _("Set WORKBENCH_CACHE to a folder in which you may write; until then nothing is kept.")
        yield find("writable", f"{folder}: {error.strerror}", "problem", advice)
    free = shutil.disk_usage(folder).free
    scarce = free < LITTLE_SPACE
    advice = _("Make room, or set WORKBENCH_CACHE to a folder on another disk.") if scarce else ""
    yield find("free space", f"{free / 2**30:.1f} GB", "note" if scarce else "ok", advice)
    if not settings.store_path.is_file():
        yield find("vectors", _("none yet; they will be kept in {file}").format(file=settings.store_path))
        return
    with EmbeddingStore(settings.store_path) as store:
        held = store.statistics()
    said = _("{n} in {file}, {size} MB").format(
        n=f"{held.n_embeddings:,}", file=held.path, size=f"{held.size / 2**20:,.1f}"
    )
    yield find("vectors", said)
    for of in held.encoders:
        said = _("{documents} documents, {queries} queries; {n} dimensions, {fingerprint}").format(
            documents=f"{of.n_documents:,}",
            queries=f"{of.n_queries:,}",
            n=of.dimension,
            fingerprint=of.fingerprint,
        )
        yield find(of.name, said)


def _project(find: Find) -> Iterator[Finding]:
    from workbench.cutoffs import SHIPPED, cards_in

    settings = get_settings()
    cards = cards_in(settings.cutoffs_dir)
    if not cards:
        advice = _(
            "Until a cutoff is calibrated on labelled pairs of yours, searches use the workbench's own for "
            "{encoders}, from demonstration pairs, and 0.4 with a warning for others."
        ).format(encoders=listed(str(card.encoder_name) for _path, card in cards_in(SHIPPED)))
        said = _("none in {folder}").format(folder=settings.cutoffs_dir)
        yield find("cutoff cards", said, "note", advice)
    for path, cutoff in cards:
        said = _("{cutoff} for {encoder} [{fingerprint}]").format(
            cutoff=number(cutoff.value), encoder=cutoff.encoder_name, fingerprint=cutoff.fingerprint
        )
        yield find(path.name, said)


def _figures(find: Find) -> Iterator[Finding]:
    from matplotlib.ft2font import FT2Font

    from workbench.plots.style import cjk_font_path

    path = cjk_font_path()
    font = FT2Font(str(path))
    missing = [character for character in CHINESE if not font.get_char_index(ord(character))]
    if missing:
        advice = _("Chinese would show as boxes in figures; install mplfonts again.")
        said = _("{font} lacks {characters}").format(font=path.name, characters="".join(missing))
        yield find("Chinese", said, "problem", advice)
    else:
        yield find("Chinese", _("shown with {font} of the package mplfonts").format(font=font.family_name))


def _notebooks(find: Find) -> Iterator[Finding]:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    folder = get_settings().project_dir / "notebooks"
    found = sorted(path.stem for path in folder.glob("*.ipynb"))
    if found:
        yield find("found", _("{names} in {folder}").format(names=listed(found), folder=folder))
    else:
        advice = _("Go to the project's folder, or set WORKBENCH_PROJECT to it.")
        yield find("found", _("none in {folder}").format(folder=folder), "note", advice)
    try:
        program = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        yield find("kernel", _("no kernel 'python3'"), "problem", "pip install ipykernel")
        return
    # A bare "python" stands for the interpreter that asks for the kernel.
    if Path(program).name == program or (Path(program).exists() and Path(program).samefile(sys.executable)):
        yield find("kernel", _("python3 runs in this environment"))
    else:
        advice = _("Notebooks would run in another environment: python -m ipykernel install --sys-prefix")
        yield find("kernel", _("python3 is {program}").format(program=program), "problem", advice)


def _browser(find: Find) -> Iterator[Finding]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        yield find("browser", found)
    else:
        advice = _("Only tests of the page need one: apt install chromium, or playwright install chromium.")
        yield find("browser", _("not found"), "note", advice)

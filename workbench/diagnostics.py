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
from dataclasses import asdict, dataclass, fields
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from workbench import __version__
from workbench.errors import WorkbenchError
from workbench.settings import get_settings

__all__ = ["Finding", "Status", "diagnose"]

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


@dataclass(frozen=True)
class Finding:
    """One fact.

    Attributes
    ----------
    topic, name, value : str
        Such as ``"GPU"``, ``"torch"``, ``"2.9.1, no CUDA device"``.
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

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return asdict(self)


def diagnose() -> list[Finding]:
    """All findings, by topic. A topic that cannot be looked into is a problem itself."""
    topics: dict[str, Callable[[], Iterator[Finding]]] = {
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
    return [finding for topic, look in topics.items() for finding in _careful(topic, look)]


def _careful(topic: str, look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    findings = []
    try:
        for finding in look():
            findings.append(finding)
    except WorkbenchError as error:
        findings.append(Finding(topic, "problem", str(error), "problem"))
    except Exception as error:  # a broken package may raise anything, and a doctor must not faint
        advice = "This topic could not be looked into; the package may be damaged: install it again."
        findings.append(Finding(topic, "problem", f"{type(error).__name__}: {error}", "problem", advice))
    return findings


def _python() -> Iterator[Finding]:
    yield Finding("Python", "workbench", __version__)
    yield Finding("Python", "python", f"{platform.python_version()} at {sys.executable}")
    yield Finding("Python", "system", f"{platform.platform()}, {os.cpu_count()} cores")


def _packages() -> Iterator[Finding]:
    for name, extra in SHOWN_PACKAGES.items():
        try:
            yield Finding("Packages", name, metadata.version(name))
        except metadata.PackageNotFoundError:
            # What is required and missing is found below.
            if extra:
                yield Finding(
                    "Packages", name, "not installed", "note", f"pip install '.[{extra}]' brings it."
                )
    yield from _requirements()


def _requirements() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        advice = "pip install -e . in the project's folder lets the doctor compare versions."
        yield Finding("Packages", "required", "the workbench itself is not installed", "note", advice)
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
        found = f"{version or 'not installed'}, needed: {requirement.specifier}"
        advice = f"pip install '{requirement.name}{requirement.specifier}'"
        yield Finding("Packages", requirement.name, found, "problem", advice)
    yield Finding("Packages", "required", f"{fine} of {len(wanted)} as needed")


def _gpu() -> Iterator[Finding]:
    yield from _torch()
    if find_spec("faiss") is None:
        advice = "Searching needs it: pip install '.[cpu]' (or conda's faiss-gpu)."
        yield Finding("GPU", "faiss", "not installed", "problem", advice)
        return
    faiss = import_module("faiss")
    gpus = faiss.get_num_gpus()
    yield Finding("GPU", "faiss", f"{faiss.__version__}, {f'{gpus} GPU(s)' if gpus else 'CPU'}")


def _torch() -> Iterator[Finding]:
    if find_spec("torch") is None:
        advice = "Only qwen3 and st: encoders need it: pip install '.[qwen]'."
        yield Finding("GPU", "torch", "not installed", "note", advice)
        return
    torch = import_module("torch")
    if not torch.cuda.is_available():
        idle = shutil.which("nvidia-smi") and torch.version.cuda is None
        advice = "There is an NVIDIA driver here, but this torch is built for the CPU." if idle else ""
        yield Finding("GPU", "torch", f"{torch.__version__}, no CUDA device", "note", advice)
        return
    yield Finding("GPU", "torch", f"{torch.__version__}, CUDA {torch.version.cuda}")
    for number in range(torch.cuda.device_count()):
        device = torch.cuda.get_device_properties(number)
        precision = "bfloat16" if device.major >= 8 else "float16"
        yield Finding(
            "GPU", f"cuda:{number}", f"{device.name}, {device.total_memory / 2**30:.0f} GB, {precision}"
        )


def _encoders() -> Iterator[Finding]:
    from workbench.encoders import availability

    for entry in availability():
        size = f", {entry.size / 1e9:.2g} GB" if entry.size else ""
        what = f"{entry.dimension} dimensions{size}" if entry.dimension else "as its model"
        if entry.available:
            yield Finding("Encoders", entry.spec, f"can be loaded; {what}. {entry.reason}")
        else:
            yield Finding("Encoders", entry.spec, f"cannot be loaded here; {what}", "note", entry.reason)


def _settings() -> Iterator[Finding]:
    settings = get_settings()
    for field in fields(settings):
        value = getattr(settings, field.name)
        yield Finding("Settings", field.name, "not set" if value is None else str(value))


def _store() -> Iterator[Finding]:
    from workbench.encoders import EmbeddingStore

    settings = get_settings()
    folder = next(p for p in (settings.cache_dir, *settings.cache_dir.absolute().parents) if p.is_dir())
    try:
        with tempfile.TemporaryFile(dir=folder):
            yield Finding("Store", "writable", str(folder))
    except OSError as error:
        advice = "Set WORKBENCH_CACHE to a folder in which you may write; until then nothing is kept."
        yield Finding("Store", "writable", f"{folder}: {error.strerror}", "problem", advice)
    free = shutil.disk_usage(folder).free
    scarce = free < LITTLE_SPACE
    advice = "Make room, or set WORKBENCH_CACHE to a folder on another disk." if scarce else ""
    yield Finding("Store", "free space", f"{free / 2**30:.1f} GB", "note" if scarce else "ok", advice)
    if not settings.store_path.is_file():
        yield Finding("Store", "vectors", f"none yet; they will be kept in {settings.store_path}")
        return
    with EmbeddingStore(settings.store_path) as store:
        held = store.statistics()
    yield Finding("Store", "vectors", f"{held.n_embeddings:,} in {held.path}, {held.size / 2**20:,.1f} MB")
    for of in held.encoders:
        counts = f"{of.n_documents:,} documents, {of.n_queries:,} queries"
        yield Finding("Store", of.name, f"{counts}; {of.dimension} dimensions, {of.fingerprint}")


def _project() -> Iterator[Finding]:
    from workbench.cutoffs import cards_in

    settings = get_settings()
    cards = cards_in(settings.cutoffs_dir)
    if not cards:
        advice = "Searches use 0.4 with a warning until a cutoff is calibrated on labelled pairs."
        yield Finding("Project", "cutoff cards", f"none in {settings.cutoffs_dir}", "note", advice)
    for path, cutoff in cards:
        yield Finding(
            "Project", path.name, f"{cutoff.value:.4f} for {cutoff.encoder_name} [{cutoff.fingerprint}]"
        )


def _figures() -> Iterator[Finding]:
    from matplotlib.ft2font import FT2Font

    from workbench.plots.style import cjk_font_path

    path = cjk_font_path()
    font = FT2Font(str(path))
    missing = [character for character in "职位简历匹配" if not font.get_char_index(ord(character))]
    if missing:
        advice = "Chinese would show as boxes in figures; install mplfonts again."
        yield Finding("Figures", "Chinese", f"{path.name} lacks {''.join(missing)}", "problem", advice)
    else:
        yield Finding("Figures", "Chinese", f"shown with {font.family_name} of the package mplfonts")


def _notebooks() -> Iterator[Finding]:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    folder = get_settings().project_dir / "notebooks"
    found = sorted(path.stem for path in folder.glob("*.ipynb"))
    if found:
        yield Finding("Notebooks", "found", f"{', '.join(found)} in {folder}")
    else:
        advice = "Go to the project's folder, or set WORKBENCH_PROJECT to it."
        yield Finding("Notebooks", "found", f"none in {folder}", "note", advice)
    try:
        program = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        yield Finding("Notebooks", "kernel", "no kernel 'python3'", "problem", "pip install ipykernel")
        return
    # A bare "python" stands for the interpreter that asks for the kernel.
    if Path(program).name == program or (Path(program).exists() and Path(program).samefile(sys.executable)):
        yield Finding("Notebooks", "kernel", "python3 runs in this environment")
    else:
        advice = "Notebooks would run in another environment: python -m ipykernel install --sys-prefix"
        yield Finding("Notebooks", "kernel", f"python3 is {program}", "problem", advice)


def _browser() -> Iterator[Finding]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        yield Finding("Tests", "browser", found)
    else:
        advice = "Only tests of the page need one: apt install chromium, or playwright install chromium."
        yield Finding("Tests", "browser", "not found", "note", advice)

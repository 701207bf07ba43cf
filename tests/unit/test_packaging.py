"""pyproject.toml, environment.yml and the locks say the same."""

import ast
import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.licenses import licence, pinned, refused

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# conda-forge has these under another name
CONDA_NAMES = {"torch": "pytorch-gpu", "matplotlib": "matplotlib-base"}


def requirements(*extras: str) -> dict[str, Requirement]:
    lines = list(PROJECT["dependencies"])
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(r.name): r for r in parsed if r.name != PROJECT["name"]}


def locked(name: str) -> dict[str, list[str]]:
    versions: dict[str, list[str]] = {}
    for line in (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", line):
            versions.setdefault(canonicalize_name(match[1]), []).append(match[2])
    return versions


def conda() -> dict[str, Requirement]:
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    pip = next(item["pip"] for item in dependencies if isinstance(item, dict))
    lines = [d for d in dependencies if isinstance(d, str)] + [p for p in pip if not p.startswith("-e")]
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


def test_the_conda_environment_is_the_gpu_set_with_the_skill_map():
    wanted = requirements("qwen", "gpu", "map")
    found = conda()
    python = found.pop("python")
    found.pop("pip")
    assert str(python.specifier) == PROJECT["requires-python"]
    expected = {CONDA_NAMES.get(name, name): str(r.specifier) for name, r in wanted.items()}
    assert {name: str(r.specifier) for name, r in found.items()} == expected


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("demo.lock", ["cpu", "app"]),
        ("lab.lock", ["cpu", "app", "map"]),
        ("qwen.lock", ["cpu", "app", "qwen"]),
        ("test.lock", ["cpu", "app", "map", "qwen", "ocr", "serve", "cluster", "milvus", "test"]),
    ],
)
def test_a_lock_pins_each_requirement_at_an_allowed_version(lock, extras):
    pins = locked(lock) | locked("torch.txt")
    for name, requirement in requirements(*extras).items():
        assert name in pins, f"{lock} lacks {name}; run 'make lock'"
        for version in pins[name]:
            assert requirement.specifier.contains(version), (
                f"{lock} pins {name}=={version}, not {requirement}"
            )


@pytest.mark.parametrize(
    ("small", "large"), [("demo.lock", "lab.lock"), ("demo.lock", "qwen.lock"), ("lab.lock", "test.lock")]
)
def test_a_lock_extends_the_smaller_one(small, large):
    pins, everything = locked(small), locked(large)
    assert {name: everything.get(name) for name in pins} == pins


def test_the_lock_of_the_benchmarks_adds_their_peers_and_changes_nothing():
    added = locked("bench.lock")
    assert set(added) & set(locked("test.lock") | locked("torch.txt")) == set()
    for peer in map(Requirement, PROJECT["optional-dependencies"]["bench"]):
        assert [peer.specifier.contains(version) for version in added[canonicalize_name(peer.name)]] == [True]


def test_only_the_benchmarks_install_their_peers():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = re.findall(r"^(\S+):.*\n(?:\t.*\n)*\t.*install.*bench\.lock", makefile, re.MULTILINE)
    assert installs == ["$(VENV)/.bench"]
    assert re.findall(r"^(\S+):.*/\.bench(?: |$)", makefile, re.MULTILINE) == ["bench"]


LOCKS = ["demo.lock", "lab.lock", "qwen.lock", "test.lock", "tokenizers.lock", "bench.lock"]


@pytest.mark.parametrize("name", [*LOCKS, "torch.txt"])
def test_a_lock_names_no_address(name):
    assert "://" not in (ROOT / "requirements" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_the_hashes_of_each_packages_files(name):
    text = re.sub(r"\\\n\s+", " ", (ROOT / "requirements" / name).read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines
    assert all(re.search(r"==.*( --hash=sha256:[0-9a-f]{64})+$", line) for line in lines)


@pytest.mark.parametrize("name", ["Makefile", "Dockerfile"])
def test_locks_are_installed_with_their_hashes_only(name):
    commands = re.findall(r"install .*\.lock", (ROOT / name).read_text(encoding="utf-8"))
    assert len(commands) >= 2
    assert all("--require-hashes" in command for command in commands)


def licences() -> dict[str, str]:
    rows = re.findall(r"^\| (\S+) \| (.+?) \|", (ROOT / "docs/licenses.md").read_text("utf-8"), re.MULTILINE)
    return {name: stated for name, stated in rows if name not in ("Package", "---")}


def test_the_licence_of_every_pinned_package_is_listed_and_may_be_used():
    found, pins = licences(), pinned()
    assert set(found) == set(pins), "run 'make licenses'"
    assert [each for name, stated in found.items() for each in refused(name, stated, pins[name])] == []


def test_the_listed_licences_are_those_that_packages_state():
    found = licences()
    assert {name: licence(name) for name in found} == found, "run 'make licenses'"


@pytest.mark.parametrize(
    ("name", "stated", "lock"),
    [
        ("anything", "AGPL-3.0-only", "demo"),
        ("anything", "MIT AND SSPL-1.0", "lab"),
        ("anything", "none stated", "test"),
        ("anything", "GPL-3.0", "test"),
        ("krippendorff", "GPL-3.0-or-later", "demo"),
        ("anything", "LicenseRef-NVIDIA-Proprietary", "demo"),
    ],
)
def test_another_licence_is_refused(name, stated, lock):
    assert len(refused(name, stated, lock)) == 1


@pytest.mark.parametrize("light", ["demo.lock", "lab.lock"])
def test_a_light_set_has_no_torch(light):
    assert not {"torch", "transformers", "sentence-transformers"} & set(locked(light))


def test_the_tests_that_hold_what_is_promised_are_there():
    named = re.findall(r"`(tests/\S+\.py)`", (ROOT / "SECURITY.md").read_text("utf-8"))
    assert len(set(named)) >= 6
    assert [name for name in named if not (ROOT / name).is_file()] == []


def imported_distributions(folder: str) -> dict[str, str]:
    """Each third-party distribution that is imported below a folder, with one place where it is."""
    owners = packages_distributions()
    found: dict[str, str] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            else:
                continue
            for name in names:
                for owner in owners.get(name.split(".")[0], []):
                    found.setdefault(canonicalize_name(owner), f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("workbench", ["cpu", "app", "map", "qwen", "gpu", "ocr", "serve", "cluster", "milvus"]),
        ("tests", ["cpu", "app", "map", "qwen", "gpu", "ocr", "serve", "cluster", "milvus", "test"]),
    ],
)
def test_what_is_imported_is_required(folder, extras):
    required = set(requirements(*extras)) | set(locked("tokenizers.lock")) | {PROJECT["name"]}
    # parts of Jupyter that a required package is made of
    brought_along = {
        "ipython",
        "mistune",
        "nbformat",
        "nbclient",
        "jupyter-client",
        "jupyter-core",
        "jupyter-server",
        "tornado",
        "traitlets",
        "pillow",
        "pyyaml",
    }
    missing = {
        name: place
        for name, place in imported_distributions(folder).items()
        if name not in required | brought_along and not name.startswith(("faiss-", "tokenizers", "httpx"))
    }
    assert missing == {}

"""The container: its file is sound, and its steps give a working app in a fresh Debian.

No container engine is needed: the steps of the Dockerfile are run in a root made by debootstrap, on a machine
that has it, by root.
"""

from __future__ import annotations

import http.client
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"


def steps(target: str) -> list[tuple[str, str]]:
    """Instructions of one stage, with lines joined; a stage that begins with another has its steps first."""
    lines = [line for line in DOCKERFILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    stages: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in filter(None, map(str.strip, joined.splitlines())):
        word, _space, rest = line.partition(" ")
        if word == "FROM":
            source, _as, name = rest.split()
            stages[name] = list(stages.get(source, [("FROM", source)]))
        else:
            stages[name].append((word, rest.strip()))
    return stages[target]


def test_the_linter_finds_nothing():
    linter = Path(sys.executable).parent / "hadolint"
    subprocess.run([linter, DOCKERFILE], check=True)


def test_all_that_is_copied_is_there_and_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    copied = [word for kind, rest in steps("cpu") if kind == "COPY" for word in rest.split()[:-1]]
    assert len(copied) >= 7
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name.split('/')[0]}" in ignored, name


def test_it_runs_without_root_and_is_looked_after():
    said = dict(steps("cpu"))
    assert said["USER"] == "10001"
    assert "8501" in said["HEALTHCHECK"]
    assert json.loads(said["CMD"])[:2] == ["workbench", "app"]
    assert steps("gpu")[-1] == ("USER", "10001")


def test_compose_runs_it_shut_in():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    (service,) = compose["services"].values()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "cpus", "pids_limit"} <= set(service)
    assert service["ports"] == ["127.0.0.1:8501:8501"]
    assert service["environment"]["WORKBENCH_TOKEN"].startswith("${WORKBENCH_TOKEN:?")
    assert service["build"]["target"] in DOCKERFILE.read_text("utf-8")
    volumes = dict(each.split(":", 1) for each in service["volumes"])
    assert volumes == {"data": "/data", "./models": "/data/models:ro"}
    assert set(compose["volumes"]) == {"data"}


def test_the_gpus_image_takes_the_versions_of_the_light_one():
    copied = [rest for kind, rest in steps("gpu") if kind == "COPY"]
    assert any(rest.startswith("requirements/qwen.lock") for rest in copied)
    assert "requirements/qwen.lock" in steps("gpu")[-2][1]


class Machine:
    """A fresh Debian in a folder, in which the steps of the Dockerfile are run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.environment, self.place = folder, {}, "/"
        for kind, rest in steps("cpu"):
            getattr(self, f"_{kind.lower()}", lambda rest: None)(rest)

    def inside(self, command: str, user: int = 0, **options):
        wrapped = f"cd {self.place} && exec {command}" if user else f"cd {self.place} && {command}"
        who = [f"--userspec={user}:{user}"] if user else []
        argv = ["chroot", *who, str(self.folder), "/bin/sh", "-c", wrapped]
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        base = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}
        return subprocess.Popen(argv, env={**base, **pip, **self.environment}, **options)

    def _from(self, image: str) -> None:
        suite = image.removeprefix("debian:").removesuffix("-slim")
        subprocess.run(
            ["debootstrap", "--variant=minbase", suite, self.folder], check=True, capture_output=True
        )
        # How this machine reaches Debian and packages, it does from inside too.
        here = [
            "/etc/resolv.conf",
            "/etc/ssl/certs",
            "/usr/local/share/ca-certificates",
            "/etc/pip.conf",
            "/etc/xdg/pip",
            "/etc/apt/apt.conf.d",
        ]
        here += [word for word in os.environ.get("PIP_FIND_LINKS", "").split() if word.startswith("/")]
        for path in map(Path, here):
            inside = self.folder / str(path).lstrip("/")
            if path.is_dir():
                shutil.copytree(
                    path, inside, dirs_exist_ok=True, symlinks=False, ignore_dangling_symlinks=True
                )
            elif path.exists():
                inside.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, inside)

    def _run(self, rest: str) -> None:
        command = rest if "&&" not in rest else f"set -e; {rest}"
        run = self.inside(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said, _none = run.communicate(timeout=900)
        assert run.returncode == 0, f"{rest}\n{said[-3000:]}"

    def _env(self, rest: str) -> None:
        for word in shlex.split(rest):
            name, _equals, value = word.partition("=")
            self.environment[name] = value.replace("$PATH", "/usr/sbin:/usr/bin:/sbin:/bin")

    def _workdir(self, rest: str) -> None:
        self.place = rest
        (self.folder / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def _copy(self, rest: str) -> None:
        *names, into = rest.split()
        target = self.folder / (into if into.startswith("/") else f"{self.place}/{into}").lstrip("/")
        for name in names:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("work"))
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("debootstrap") is None, reason="needs root and Debian's debootstrap"
)
def test_its_steps_give_a_working_app_in_a_fresh_debian(tmp_path):
    machine = Machine(tmp_path / "root")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*json.loads(dict(steps("cpu"))["CMD"]), "--port", str(port)]
    machine.environment["WORKBENCH_TOKEN"] = "let-me-in"
    log = (tmp_path / "log").open("w")
    app = machine.inside(shlex.join(command), user=10001, stdout=log, stderr=log, start_new_session=True)
    try:
        status, until = None, time.monotonic() + 120
        while status != 200 and time.monotonic() < until:
            assert app.poll() is None, (tmp_path / "log").read_text()
            status = answer(port, "/?token=let-me-in")
            time.sleep(0.5)  # a port that is not open yet tells nothing to wait for
        assert status == 200, (tmp_path / "log").read_text()
        assert answer(port, "/") in (302, 401, 403)
    finally:
        os.killpg(app.pid, signal.SIGTERM)
        app.wait(30)
    written = [path for path in (machine.folder / "data").rglob("*") if path.stat().st_uid == 10001]
    assert written


def answer(port: int, path: str) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()

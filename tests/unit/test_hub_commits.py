"""Which commit of a hub a model comes from, and that what came is what the hub lists, by a small hub here."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytest.importorskip("huggingface_hub")

pytestmark = pytest.mark.slow

OLD, NEW = "a" * 40, "b" * 40
LOAD = """
import sys, warnings
from pathlib import Path
from workbench.encoders.fast.checkpoints import get_checkpoint
from workbench.errors import EncoderUnavailableError
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    try:
        folder = get_checkpoint(sys.argv[1], commit=sys.argv[2] or None)
        print(folder.name, (folder / "model.safetensors").read_text())
    except EncoderUnavailableError as error:
        print(error)
print(*(each.message for each in said))
"""


class Hub(ThreadingHTTPServer):
    """As much of the Hugging Face hub as a download asks for."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.lies = False
        self.asked = []

    def files(self, commit):
        return {"config.json": b"{}", "model.safetensors": b"old" if commit == OLD else b"new"}


class Answer(BaseHTTPRequestHandler):
    def log_message(self, *_args):
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        self.server.asked.append(self.path)
        parts = self.path.split("?")[0].strip("/").split("/")
        named = next((part for part in (OLD, NEW) if part in parts), NEW)
        files, headers = self.server.files(named), {"X-Repo-Commit": named}
        if "tree" in parts:
            body = [
                {"type": "file", "path": path, "size": len(data), "oid": git_hash(data)}
                for path, data in files.items()
            ]
        elif parts[0] == "api":
            body = {"id": "acme/tiny", "sha": named, "siblings": [{"rfilename": path} for path in files]}
        else:
            data = files[parts[-1]]
            headers["ETag"] = f'"{git_hash(data)}"'
            body = b"bad" if self.server.lies and parts[-1] == "model.safetensors" else data
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@pytest.fixture
def hub():
    with Hub() as hub:
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        yield hub
        hub.shutdown()


@pytest.fixture
def load(hub, tmp_path):
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "hub"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_XET": "1",
        "WORKBENCH_LANGUAGE": "en",
    }

    def loaded(source, commit="", **more):
        command = [sys.executable, "-W", "ignore", "-c", LOAD, source, commit]
        run = subprocess.run(command, env={**environment, **more}, capture_output=True, text=True, timeout=60)
        assert run.returncode == 0, run.stderr
        return run.stdout

    return loaded


def test_a_named_commit_is_taken_and_found_again_without_a_network(load, hub):
    assert load(f"acme/tiny@{OLD}") == f"{OLD} old\n\n"
    assert load("acme/tiny").startswith(f"{NEW} new\n")
    hub.asked.clear()
    assert load(f"acme/tiny@{OLD}", HF_HUB_OFFLINE="1") == f"{OLD} old\n\n"
    assert hub.asked == []


def test_a_model_that_the_workbench_names_is_downloaded_as_of_its_commit(load):
    assert load("acme/tiny", commit=OLD) == f"{OLD} old\n\n"
    assert load("acme/tiny", commit=OLD, HF_HUB_OFFLINE="1") == f"{OLD} old\n\n"


def test_without_a_commit_the_one_that_came_is_told(load):
    assert f"write 'acme/tiny@{NEW}' to load these very weights" in load("acme/tiny")
    assert load("acme/tiny") == f"{NEW} new\n\n"  # it is here: nothing is downloaded, nothing said


def test_what_is_not_the_listed_file_is_removed_again(load, hub):
    hub.lies = True
    assert f"model.safetensors of acme/tiny is not the file that the hub lists for commit {OLD}" in load(
        f"acme/tiny@{OLD}"
    )
    assert "The weights of acme/tiny are not on this machine" in load(f"acme/tiny@{OLD}", HF_HUB_OFFLINE="1")
    hub.lies = False
    assert load(f"acme/tiny@{OLD}") == f"{OLD} old\n\n"


@pytest.mark.parametrize("name", ["main", "v1.0", OLD[:12]])
def test_a_name_that_may_move_is_no_commit(load, hub, name):
    assert f"'{name}' is no commit of acme/tiny" in load(f"acme/tiny@{name}")
    assert hub.asked == []


def test_each_model_with_a_short_name_has_a_commit_of_its_own():
    from workbench.encoders.qwen3 import QWEN3_MODELS

    commits = [model.commit for model in QWEN3_MODELS.values()]
    assert len(set(commits)) == len(commits)
    assert all(re.fullmatch("[0-9a-f]{40}", commit) for commit in commits)

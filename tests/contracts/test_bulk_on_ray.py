"""Bulk encoding on a local Ray of two workers: the same vectors, and what becomes of killed processes."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from toy_encoders import LoggingEncoder, ToyEncoder

from workbench import EXAMPLE_JDS, encode_parquet, load_encoder
from workbench.encoders.on_ray import ray_running

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray"), pytest.mark.timeout(300)]
TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def ray():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{TESTS.parent}:{TESTS}")  # where its workers find toy_encoders
        with ray_running(2) as running:
            yield running


def texts_in(path, n):
    frame = pd.DataFrame({"text": [f"text {row}" for row in range(n)]})
    frame.to_parquet(path)
    return frame["text"].tolist()


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.02)


def logged(path):
    lines = path.read_text().splitlines() if path.exists() else []
    return [tuple(line.split(" ", 1)) for line in lines]


def assert_vectors_of(folder, texts):
    found = pd.read_parquet(folder)
    assert found["text"].tolist() == texts
    np.testing.assert_allclose(np.stack(found["vector"]), ToyEncoder().encode_documents(texts))


def test_the_vectors_are_those_of_the_encoder_here(ray, tmp_path):
    texts = [f"{jd} {number}" for number in range(10) for jd in EXAMPLE_JDS]
    pd.DataFrame({"jd": texts}).to_parquet(tmp_path / "jds.parquet")
    encode_parquet(tmp_path / "jds.parquet", tmp_path / "out", "use", workers=2, rows=32)
    found = pd.read_parquet(tmp_path / "out")
    expected = load_encoder("use", store=False).encode_documents(texts)
    assert found["jd"].tolist() == texts
    np.testing.assert_allclose(np.stack(found["vector"]), expected, atol=1e-6)


def test_ray_listens_on_this_machine_only_and_keeps_its_files_where_nobody_else_may_look(ray):
    processes = psutil.Process().children(recursive=True)
    sockets = [each for process in processes for each in process.net_connections("inet")]
    heard = {each.laddr.ip.removeprefix("::ffff:") for each in sockets if each.status == psutil.CONN_LISTEN}
    assert heard == {"127.0.0.1"}
    logs = {Path(file.path) for process in processes for file in process.open_files() if "ray" in file.path}
    folders = {place for log in logs for place in log.parents if place.name.startswith("workbench-")}
    assert logs
    assert all(not folders.isdisjoint(log.parents) for log in logs if log.suffix == ".log")
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    assert (os.environ["RAY_USAGE_STATS_ENABLED"], os.environ["RAY_AUTH_MODE"]) == ("0", "token")


def test_a_killed_worker_costs_the_part_that_it_had_begun(ray, tmp_path):
    texts, log, killed = texts_in(tmp_path / "texts.parquet", 120), tmp_path / "log", []

    def kill():
        until(lambda: len(logged(log)) >= 25)
        killed.append(logged(log)[-1][0])
        os.kill(int(killed[0]), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    encoder = LoggingEncoder(str(log), seconds=0.02)
    encode_parquet(tmp_path / "texts.parquet", tmp_path / "out", encoder, workers=2, rows=10)
    killer.join()
    assert_vectors_of(tmp_path / "out", texts)
    entries = logged(log)
    assert len({process for process, _text in entries}) >= 2
    times = Counter(text for _process, text in entries)
    twice = {text for text, n in times.items() if n > 1}
    assert set(times) == set(texts)
    assert max(times.values()) <= 2
    # Of one part of ten, and not all of it: it was killed in the middle.
    assert len({int(text.split()[1]) // 10 for text in twice}) <= 1


def test_a_killed_driver_is_followed_by_one_that_encodes_what_is_missing(ray, tmp_path):
    texts, log, out = texts_in(tmp_path / "texts.parquet", 200), tmp_path / "log", tmp_path / "out"
    code = (
        "import sys; from toy_encoders import LoggingEncoder; from workbench import encode_parquet; "
        "source, out, log, address = sys.argv[1:]; encoder = LoggingEncoder(log, seconds=0.02); "
        "encode_parquet(source, out, encoder, workers=2, rows=10, address=address)"
    )
    address = ray.get_runtime_context().gcs_address
    driver = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "texts.parquet"), str(out), str(log), address],
    )
    until(lambda: len(list(out.glob("part-*"))) >= 4 or driver.poll() is not None)
    driver.kill()
    assert driver.wait() == -signal.SIGKILL
    # Its workers end with it.
    processes = {int(process) for process, _text in logged(log)}
    until(lambda: not any(Path(f"/proc/{process}").exists() for process in processes))
    written = set(pd.read_parquet(out)["text"])
    assert 40 <= len(written) < 200
    report = encode_parquet(tmp_path / "texts.parquet", out, LoggingEncoder(str(log)), workers=2, rows=10)
    assert report.n_encoded == 200 - len(written)
    assert_vectors_of(out, texts)
    times = Counter(text for _process, text in logged(log))
    assert {text: times[text] for text in written} == dict.fromkeys(written, 1)

"""Errors that people meet in Chinese panels are Chinese: each is raised by what raises it in earnest."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from workbench import load_encoder
from workbench.calibration import calibrate
from workbench.errors import WorkbenchError
from workbench.i18n import language
from workbench.panels.calibration_session import CalibrationSession
from workbench.panels.given import read_upload


@pytest.fixture(scope="module")
def session():
    rng = np.random.default_rng(0)
    labels = rng.random(200) < 0.5
    pairs = pd.DataFrame({"score": np.where(labels, 0.7, 0.3) + 0.1 * rng.random(200), "label": labels})
    return CalibrationSession(calibrate(pairs, target_precision=0.8, n_resamples=20))


def said(act, speak: str = "zh") -> str:
    """What an error says."""
    with language(speak), pytest.raises(WorkbenchError) as caught:
        act()
    return str(caught.value)


def english_words(text: str, but: tuple[str, ...] = ()) -> list[str]:
    """Runs of Latin words, which a Chinese sentence has only where it names something."""
    for name in but:
        text = text.replace(name, "")
    return re.findall(r"[A-Za-z]{2,} [A-Za-z]{2,}", text)


class TestOfTheCalibrationPanel:
    def test_a_file_that_is_no_card(self, session):
        message = said(lambda: session.save("cutoff.txt", session.study.cutoff.value))
        assert message == "阈值卡是 .json 文件，而 cutoff.txt 不是。"

    def test_a_cutoff_set_by_hand(self, session):
        message = said(lambda: session.save("cutoff.json", 0.123))
        assert "手动设定的 0.1230" in message
        assert not english_words(message)

    def test_a_study_that_found_none(self):
        labels = [0, 1] * 20
        pairs = pd.DataFrame({"score": np.linspace(0, 1, 40)[::-1], "label": labels})
        found = CalibrationSession(calibrate(pairs, target_precision=0.99, n_resamples=20))
        message = said(lambda: found.save("cutoff.json", 0.4))
        assert message.startswith("没有写出阈值卡：没有可采用的阈值")
        assert not english_words(message)

    def test_a_folder_that_cannot_be_written(self, session, tmp_path):
        (tmp_path / "file").write_text("in the way")
        path = tmp_path / "file" / "cutoff.json"
        message = said(lambda: session.save(path, session.study.cutoff.value))
        assert message.startswith(f"无法写入 {path}")


@pytest.mark.parametrize(
    ("name", "content", "begins"),
    [
        ("a.exe", b"PK", "读不了 a.exe；可以添加的格式有 .txt"),
        ("a.txt", b"", "a.txt 是空文件。"),
        ("a.txt", b" \n \n", "a.txt 中没有文字。"),
        ("a.pdf", b"hello", "从文件名看，a.pdf 应是"),
        ("a.pdf", b"%PDF-1.4\nbroken", "a.pdf 无法作为PDF读取"),
        ("a.csv", b"one,two\n1,2\n", "不清楚 a.csv 的哪一列是文本"),
    ],
)
def test_of_files_that_are_added(tmp_path, name, content, begins):
    (tmp_path / name).write_bytes(content)
    assert said(lambda: read_upload(tmp_path / name)).startswith(begins)


def test_of_a_server_that_does_not_answer():
    message = said(lambda: load_encoder("http://127.0.0.1:9/v1#m").encode_queries(["a"]))
    assert message.startswith("http://127.0.0.1:9/v1 没有服务器")


def test_in_english_it_is_the_sentence_itself(session):
    message = said(lambda: session.save("cutoff.txt", session.study.cutoff.value), "en")
    assert message == "A cutoff card is a .json file, and cutoff.txt is none."

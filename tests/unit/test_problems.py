"""Errors that people meet in Chinese panels are Chinese: each is raised by what raises it in earnest."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from workbench import load_encoder
from workbench.calibration import calibrate
from workbench.errors import (
    EncoderError,
    EncoderMismatchError,
    EncoderUnavailableError,
    MissingDependencyError,
    StoreError,
    WorkbenchError,
)
from workbench.panels.calibration_session import CalibrationSession
from workbench.panels.problems import in_words
from workbench.panels.uploads import texts_in_upload


@pytest.fixture(scope="module")
def session():
    rng = np.random.default_rng(0)
    labels = rng.random(200) < 0.5
    pairs = pd.DataFrame({"score": np.where(labels, 0.7, 0.3) + 0.1 * rng.random(200), "label": labels})
    return CalibrationSession(calibrate(pairs, target_precision=0.8, n_resamples=20))


def raised(act) -> WorkbenchError:
    with pytest.raises(WorkbenchError) as caught:
        act()
    return caught.value


def english_words(text: str, but: tuple[str, ...] = ()) -> list[str]:
    """Runs of Latin words, which a Chinese sentence has only where it names something."""
    for name in but:
        text = text.replace(name, "")
    return re.findall(r"[A-Za-z]{2,} [A-Za-z]{2,}", text)


class TestOfTheCalibrationPanel:
    def test_a_file_that_is_no_card(self, session):
        error = raised(lambda: session.save("cutoff.txt", session.study.cutoff.value))
        assert in_words(error, "zh") == "阈值卡是 .json 文件，而 cutoff.txt 不是。"

    def test_a_cutoff_set_by_hand(self, session):
        said = in_words(raised(lambda: session.save("cutoff.json", 0.123)), "zh")
        assert "手动设定的 0.1230" in said
        assert not english_words(said)

    def test_a_study_that_found_none(self):
        labels = [0, 1] * 20
        pairs = pd.DataFrame({"score": np.linspace(0, 1, 40)[::-1], "label": labels})
        found = CalibrationSession(calibrate(pairs, target_precision=0.99, n_resamples=20))
        said = in_words(raised(lambda: found.save("cutoff.json", 0.4)), "zh")
        assert said.startswith("没有可以保存的阈值")
        assert not english_words(said)

    def test_a_folder_that_cannot_be_written(self, session, tmp_path):
        (tmp_path / "file").write_text("in the way")
        path = tmp_path / "file" / "cutoff.json"
        said = in_words(raised(lambda: session.save(path, session.study.cutoff.value)), "zh")
        assert said.startswith(f"{path} 写不进去")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.zip", b"PK", "读不了 a.zip；可以添加的格式有 .txt"),
        ("a.txt", b"", "a.txt 是空文件。"),
        ("a.txt", b" \n \n", "a.txt 里没有文字。"),
        ("a.pdf", b"hello", "a.pdf 的内容和扩展名不符"),
        ("a.pdf", b"%PDF-1.4\nbroken", "a.pdf 不是完好的 PDF"),
        ("a.csv", b"one,two\n1,2\n", "看不出 a.csv 的哪一列是要搜索的文本；它有这些列：'one', 'two'"),
    ],
)
def test_of_files_that_are_added(name, content, said):
    assert said.replace("'", "") in in_words(raised(lambda: texts_in_upload(name, content)), "zh").replace(
        "'", ""
    )


def test_of_a_server_that_does_not_answer():
    error = raised(lambda: load_encoder("http://127.0.0.1:9/v1#m").encode_queries(["a"]))
    assert in_words(error, "zh") == "http://127.0.0.1:9/v1 连不上。请检查地址，或先在那里启动服务。"


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        (EncoderUnavailableError, "编码器无法加载"),
        (EncoderMismatchError, "编码器不一致"),
        (EncoderError, "编码失败"),
        (StoreError, "文件无法读写"),
        (MissingDependencyError, "缺少软件包"),
        (WorkbenchError, "出错"),
    ],
)
def test_any_other_has_its_kind_in_chinese_and_keeps_its_sentence(kind, named):
    assert in_words(kind("Something went {wrong}."), "zh") == f"{named}（Something went {{wrong}}.）"


def test_in_english_it_is_the_sentence_itself():
    assert in_words(StoreError("card.json cannot be written (no space); choose another."), "en").startswith(
        "card"
    )

"""Errors in the language of a panel: the commonest in Chinese sentences, any other with its kind in Chinese.

Errors speak English, wherever they come from; a panel in English shows them as they are. Everything is plain
text: whoever shows it escapes it.
"""

from __future__ import annotations

import re

from workbench.errors import (
    EncoderError,
    EncoderMismatchError,
    EncoderUnavailableError,
    InputError,
    MissingDependencyError,
    StoreError,
    WorkbenchError,
)
from workbench.settings import Language

__all__ = ["in_words"]

# What people meet in the panels, by the sentence that is raised; the names in it go into the Chinese one.
_SENTENCES = (
    (r"A cutoff card is a \.json file, and '(.*)' is none\.", "阈值卡是 .json 文件，而 {0} 不是。"),
    (
        r"The evidence is for (\S+), not for (\S+), which was set by hand\..*",
        "依据属于 {0}，不属于手动设定的 {1}。请回到校准的阈值，或换一个目标或规则重新校准。",
    ),
    (
        r"There is no cutoff to save: .*",
        "没有可以保存的阈值：没有哪个阈值达到目标。请降低目标、多标一些，或换一个编码器。",
    ),
    (r"(.+) cannot be written \((.*)\); .*", "{0} 写不进去（{1}）。请换一个文件夹，或允许写入。"),
    (r"(.+) cannot be read; add one of (.*)\.", "读不了 {0}；可以添加的格式有 {1}。"),
    (r"(.+) holds no text\.", "{0} 里没有文字。"),
    (r"(.+) is empty\.", "{0} 是空文件。"),
    (r"(.+) has no rows\.", "{0} 里没有数据行。"),
    (
        r"It is not clear which column of (.+) holds the texts .*; its columns are: (.*)\.",
        "看不出 {0} 的哪一列是要搜索的文本；它有这些列：{1}。请只留下文本列，或把它改名为 text。",
    ),
    (
        r"(.+) is named as (?:.+), but is (?:.+)\. .*",
        "{0} 的内容和扩展名不符。请改成正确的扩展名，或另存为它所写的格式。",
    ),
    (r"(.+) is protected with a password; .*", "{0} 有密码保护。请另存一份没有密码的再添加。"),
    (
        r"(.+) has (\d+) pages? but no text; .*",
        "{0} 有 {1} 页，但没有文字，像是扫描件。请先做文字识别（OCR）。",
    ),
    (r"(.+) cannot be read as a PDF: .*", "{0} 不是完好的 PDF。请用阅读器打开，打印成一份新的 PDF。"),
    (r"(.+) cannot be read as a Word document: .*", "{0} 不是完好的 Word 文档。请用 Word 打开后另存一份。"),
    (
        r"(.+) has no text in paragraphs or tables; .*",
        "{0} 的段落和表格里没有文字；图片和文本框里的文字读不到。",
    ),
    (
        r"(.+) has labelled in another window meanwhile \((\d+) step\(s\)\); .*",
        "{0} 同时在另一个窗口里标注了 {1} 步；刚才这一下没有存上。请看现在显示的这一对。",
    ),
    (
        r"All pairs are labelled or skipped; there is none to label\.",
        "所有配对都已标注或跳过，没有要标的了。",
    ),
    (r"No text is selected; select at least one\.", "还没有选中文本，请至少选一条。"),
    (r"There is no server at (\S+) \(.*\)\. .*", "{0} 连不上。请检查地址，或先在那里启动服务。"),
    (
        r"The GPU ran out of memory on text \d+ alone\..*",
        "显存不够，连一条文本也编码不了。请换小一些的模型或 dtype='nf4'，或先释放显存。",
    ),
)
_KINDS = (
    (EncoderUnavailableError, "编码器无法加载"),
    (EncoderMismatchError, "编码器不一致"),
    (EncoderError, "编码失败"),
    (StoreError, "文件无法读写"),
    (MissingDependencyError, "缺少软件包"),
    (InputError, "输入无法使用"),
)


def in_words(error: WorkbenchError, language: Language) -> str:
    """The error as a sentence in a language.

    Parameters
    ----------
    error : WorkbenchError
    language : {"zh", "en"}

    Returns
    -------
    str
        In Chinese where the sentence is known; else the kind of error in Chinese, then the English sentence.

    Examples
    --------
    >>> in_words(InputError("skills.txt is empty."), "zh")
    'skills.txt 是空文件。'
    >>> in_words(InputError("The moon is full."), "zh")
    '输入无法使用（The moon is full.）'
    """
    said = str(error)
    if language == "en":
        return said
    for pattern, sentence in _SENTENCES:
        found = re.fullmatch(pattern, said, re.DOTALL)
        if found:
            return sentence.format(*found.groups())
    kind = next((name for cls, name in _KINDS if isinstance(error, cls)), "出错")
    return f"{kind}（{said}）"

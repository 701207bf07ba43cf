"""No message says what stands in a text: no error, with all that a traceback shows, no warning."""

from __future__ import annotations

import io
import json
import math
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest
from character_encoder import CharacterEncoder
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import ScriptedServer
from typer.testing import CliRunner

import workbench as wb
from workbench.calibration.observations import Observations
from workbench.cli import app
from workbench.encoders.server import ServerEncoder
from workbench.errors import WorkbenchError
from workbench.files.exporting import export_frame
from workbench.retrieval import KnowledgeBase
from workbench.scorers import ColumnScorer, ServerReranker

TEXT = "Wang Xiaoming, night nurse since 2011, phone 13800138000, 王小明急诊护士八年经验，电话一三八"
# So much in a row is no coincidence.
PIECES = {TEXT[at : at + 8] for at in range(len(TEXT) - 7)} | {"王小明急", "护士八年", "13800138"}


def told(act):
    """All that is said: the error, what a traceback shows of its causes, and warnings."""
    said = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            act()
        except WorkbenchError as error:
            at: BaseException | None = error
            while at is not None:
                said.append(str(at))
                at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return "\n".join([*said, *(str(each.message) for each in warned)])


def check(act):
    said = told(act)
    assert said, "nothing was said"
    repeated = [piece for piece in PIECES if piece in said]
    assert not repeated, said


CALLS = {
    "clean": lambda: wb.clean([TEXT, [TEXT]]),
    "encode a list": lambda: CharacterEncoder().encode_documents([TEXT, [TEXT]]),
    "query": lambda: wb.search([TEXT], ["a"], encoder=CharacterEncoder()),
    "knowledge base": lambda: wb.search("a", [TEXT, [TEXT]], encoder=CharacterEncoder()),
    "metadata": lambda: KnowledgeBase.from_texts(["a"], CharacterEncoder(), [{"cv": TEXT.encode()}]),
    "rank": lambda: wb.rank([TEXT, [TEXT]], [TEXT], scorer="keyword"),
    "explain": lambda: wb.explain(TEXT.split(",")[0], "nurse", CharacterEncoder()),
    "scores": lambda: Observations([TEXT, "0.4"], [0, 1]),
    "labels": lambda: Observations([0.3, 0.4], [TEXT, "1"]),
    "column": lambda: ColumnScorer("score").scores_in(pd.DataFrame({"score": [TEXT]})),
    "positive": lambda: wb.calibrate(pd.DataFrame({"score": [0.1, 0.2], "label": [TEXT, TEXT]})),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_is_passed_wrongly_is_not_repeated(name):
    check(CALLS[name])


def _workbook(text):
    content = io.BytesIO()
    pd.DataFrame({text: [text], "b": [text]}).to_excel(content, index=False)
    return content.getvalue()


def _zip(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


RAW = TEXT.encode()
FILES = {
    "broken.docx": RAW,
    "zip.docx": _zip(**{"word/document.xml": f"<w:document>{TEXT}"}),
    "broken.pdf": b"%PDF-1.4\n" + RAW,
    "broken.xlsx": RAW,
    "broken.ods": _zip(**{"content.xml": f"<a>{TEXT}"}),
    "broken.odt": _zip(**{"content.xml": f"<a>{TEXT}"}),
    "broken.zip": b"PK\x03\x04" + RAW,
    "broken.png": b"\x89PNG\r\n\x1a\n" + RAW,
    "gbk.txt": TEXT.encode("gb18030") + b"\xff\xff\x00",
    "line.jsonl": f'{{"text": "{TEXT}}}'.encode(),
    "number.jsonl": json.dumps({"text": [TEXT]}).encode(),
    "list.jsonl": json.dumps([TEXT]).encode(),
    "open.csv": f'text\n"{TEXT}\nb'.encode(),
    "wide.csv": f"text\n{TEXT},{TEXT}".encode(),
    "headless.csv": f"{TEXT[:40]}\t{TEXT}\n{TEXT}\t{TEXT}".encode(),
    "headless.xlsx": _workbook(TEXT),
}


TABLES = [name for name in FILES if name.endswith((".jsonl", ".csv"))]
# Each in a process of its own.
ASIDE = [pytest.param(name, marks=pytest.mark.slow) for name in FILES if name not in TABLES]


@pytest.mark.parametrize("name", [*TABLES, *ASIDE])
def test_a_file_that_cannot_be_read_is_named_and_not_quoted(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(FILES[name])
    for read in (lambda: wb.read_documents(path, side="resume"), lambda: wb.read_pairs(path)):
        said = told(read)
        assert not [piece for piece in PIECES if piece in said], said


def test_the_command_line_does_not_quote_either(tmp_path):
    path = tmp_path / "open.csv"
    path.write_bytes(FILES["open.csv"])
    done = CliRunner().invoke(app, ["search", "nurse", "--kb", str(path), "-e", "keyword"])
    assert done.exit_code == 2
    assert "open.csv" in done.stderr
    assert not [piece for piece in PIECES if piece in done.stderr], done.stderr


PAIR = {"pair_id": "a", "jd": TEXT, "resume": TEXT, "label": "1", "annotator": "kim"}


@pytest.mark.parametrize(
    "row",
    [
        {"label": TEXT},
        {"labelled_at": TEXT},
        {"weight": TEXT},
        {"inclusion_probability": TEXT},
        {"score": TEXT},
        {"jd": ""},
        {TEXT: "1"},
    ],
    ids=str,
)
def test_a_cell_that_does_not_fit_is_named_by_row_and_column(row, tmp_path):
    path = tmp_path / "pairs.csv"
    rows = [{**PAIR, **row}, {**PAIR, "pair_id": "b", "label": "0", "jd": "nurse", **row}]
    pd.DataFrame(rows).to_csv(path, index=False)
    said = told(lambda: wb.read_pairs(path))
    assert not [piece for piece in PIECES if piece in said], said


@pytest.mark.parametrize(
    "answer",
    [TEXT, [TEXT], {"result": TEXT}, {"result": [TEXT]}, {"result": [{"value": {"choices": [TEXT]}}]}],
    ids=str,
)
def test_an_import_that_does_not_fit_is_not_quoted(answer, tmp_path):
    task = {"data": {"jd": TEXT, "resume": TEXT, "pair_id": "a"}, "annotations": [answer, answer]}
    record = {
        "fields": {"jd": TEXT, "resume": TEXT},
        "metadata": {},
        "responses": {"label": [{"value": answer}]},
    }
    for read, given_ in ((wb.read_label_studio, [task, TEXT]), (wb.read_argilla, [record, TEXT])):
        said = told(lambda read=read, given_=given_: read(given_))
        assert not [piece for piece in PIECES if piece in said], said


SERVER = {
    "refused": lambda sent: (400, {"error": {"message": f"Bad input: {sent[0]}"}}),
    "refused, cut": lambda sent: (
        422,
        {"detail": [{"msg": f"{sent[0][:40]} is too long", "input": sent[0]}]},
    ),
    "fails": lambda sent: (500, {"error": f"Could not embed [{sent[0]!r}]"}),
    "fails without a form": lambda sent: (500, {"input": sent}),
    "as fine": lambda sent: {"error": {"message": f"Cannot read {sent[-1]}"}},
    "as vectors": lambda sent: {"data": [{"index": 0, "embedding": sent}]},
    "as scores": lambda sent: {"results": [{"index": 0, "relevance_score": sent[0]}]},
    "as numbers": lambda sent: {"data": [{"index": sent[0], "embedding": [1.0]}]},
    "as infinite": lambda sent: {"data": [{"index": 0, "embedding": [math.nan]}]},
}


@pytest.mark.parametrize("name", SERVER)
def test_a_server_that_repeats_a_text_is_not_repeated(name):
    def script(request, number):
        return SERVER[name](list(request.get("input", request.get("documents", []))) or [TEXT])

    with ScriptedServer(script) as server:
        url = f"{server.url}#toy"
        encoder = ServerEncoder(url, max_retries=0)
        encoder.__dict__["dimension"] = 1
        check(lambda: encoder.encode_documents([TEXT]))
        check(lambda: list(ServerReranker(url, max_retries=0).score_batches(TEXT, [TEXT])))


def test_a_vector_that_is_not_finite_is_told_by_its_place():
    class Broken(CharacterEncoder):
        def encode_batches(self, texts, role):
            yield np.arange(len(texts)), np.full((len(texts), self.dimension), np.nan, dtype=np.float32)

    check(lambda: Broken().encode_documents([TEXT]))


def test_a_cell_too_long_for_excel_is_told_by_row_and_column(tmp_path):
    frame = pd.DataFrame({"text": ["a", TEXT * 500]})
    check(lambda: export_frame(frame, tmp_path / "a.xlsx"))
    assert "Row 3, column 'text'" in told(lambda: export_frame(frame, tmp_path / "a.xlsx"))


@settings(max_examples=30)
@given(st.text(min_size=30), st.sampled_from(["", "Please shorten: "]), st.integers(0, 10))
def test_whatever_a_server_repeats_of_a_text_is_left_out(text, before, start):
    from workbench.encoders.fast.endpoint import _without

    text = " ".join(text.split())
    said = _without(f"{before}{text[start:]}", [text])
    assert said.startswith(before.strip())
    for at in range(len(text) - 11):
        assert text[at : at + 12] not in said

"""Masking: what it finds on lines with known truth, what it leaves, and that nothing unmasked gets out."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import ScriptedServer, embeddings, reranked
from typer.testing import CliRunner

import workbench as wb
from workbench import html
from workbench.cli import app
from workbench.encoders.server import ServerEncoder
from workbench.errors import InputError
from workbench.files.exporting import csv_bytes, export_frame
from workbench.masking import _IDS, ID, MAIL, PHONE, mask, masked
from workbench.pairs import write_argilla, write_label_studio
from workbench.plots.style import shortened
from workbench.scorers import ServerReranker
from workbench.settings import Settings

LINES = (Path(__file__).parents[2] / "benchmarks" / "masking.txt").read_text("utf-8")
TO_MASK, NOTHING, HARD = (
    [line for line in part.splitlines() if line and not line.startswith("#")]
    for part in LINES.split("# trap: ", 2)
)
MARK = re.compile(r"\{([pmi]):([^}]*)\}")
PERSON = "李娜 13800138000 lina@example.cn 11010519491231002X"
SECRETS = ("13800138000", "lina@example.cn", "11010519491231002X")


@pytest.fixture
def asked(monkeypatch):
    monkeypatch.setenv("WORKBENCH_MASK", "1")


class TestWhatIsFound:
    @pytest.mark.parametrize("line", [line for line in TO_MASK if "转 8012" not in line])
    def test_what_people_marked_is_masked_as_what_it_is(self, line):
        kinds = {"p": PHONE, "m": MAIL, "i": ID}
        said = mask(MARK.sub(lambda found: found[2], line))
        # A space that stood beside a number may go with it.
        assert said.replace(" ", "") == MARK.sub(lambda found: kinds[found[1]], line).replace(" ", "")

    @pytest.mark.parametrize("line", NOTHING[1:])
    def test_other_numbers_stay(self, line):
        assert mask(line) == line

    def test_a_wrong_check_digit_is_no_id_number(self):
        assert (
            mask("110105194912310020 536-00-4399 390.533.447-06")
            == "110105194912310020 536-00-4399 390.533.447-06"
        )

    @given(st.text(st.characters(exclude_categories=["Nd", "Nl", "No"], exclude_characters="@＠")))
    def test_a_text_without_digits_and_addresses_stays(self, text):
        assert mask(text) == text

    @given(st.text(st.one_of(st.sampled_from("0123456789 +-()./@a护：\n"), st.characters())))
    @settings(max_examples=200)
    def test_masking_again_changes_nothing(self, text):
        assert mask(mask(text)) == mask(text)

    @pytest.mark.parametrize("name", _IDS)
    @settings(max_examples=20)
    @given(data=st.data())
    def test_no_number_of_a_shape_makes_the_check_fail(self, name, data):
        text = data.draw(st.from_regex(re.compile(_IDS[name], re.ASCII), fullmatch=True))
        is_valid = importlib.import_module(f"stdnum.{name}").is_valid
        assert (mask(text) == ID) or not is_valid(re.sub("[ -]", "", text))


class TestNothingGetsOut:
    def test_only_where_it_is_asked_for(self):
        assert masked(PERSON) == PERSON
        assert Settings.from_environment({"WORKBENCH_PROJECT": "."}).mask is False
        assert Settings.from_environment({"WORKBENCH_PROJECT": ".", "WORKBENCH_MASK": "1"}).mask is True
        with pytest.raises(InputError, match="WORKBENCH_MASK"):
            Settings.from_environment({"WORKBENCH_PROJECT": ".", "WORKBENCH_MASK": "yes"})

    def test_frames_and_columns_in_python(self):
        frame = pd.DataFrame({"resume": [PERSON, None], "n": [13800138000, 1]})
        said = wb.mask(frame)
        assert said["resume"][0] == wb.mask(frame["resume"])[0] == mask(PERSON)
        assert said["resume"].isna().tolist() == [False, True]
        assert said["n"].tolist() == [13800138000, 1]
        assert frame["resume"][0] == PERSON

    def test_answered_by_the_service(self, asked):
        answers = pytest.importorskip("workbench.service.answers", reason="needs the extra serve")
        service = answers.Service.load("keyword")
        hits = service.search(answers.SearchQuestion(query="护士", texts=[PERSON, "Java"])).hits
        texts = [answers.Text(id="a", text=PERSON)]
        ranked = service.rank(answers.RankQuestion(jds=[answers.Text(id="jd", text="护士")], resumes=texts))
        explained = service.explain(answers.ExplainQuestion(jd="护士", resume=f"护士，{PERSON}"))
        for said in (str(hits), ranked.model_dump_json(), explained.model_dump_json()):
            assert not [secret for secret in SECRETS if secret in said]
        assert "[phone]" in str(hits)

    def test_shown(self, asked):
        page = html._environment().from_string(
            "{{ x }}{% trans x=x %}of {{ x }}{% endtrans %}<i title='{{ x }}'>"
        )
        for said in (page.render(x=PERSON), shortened(PERSON, 200), str(InputError(PERSON))):
            assert not [secret for secret in SECRETS if secret in said]
            assert "[phone]" in said

    def test_figures_of_our_own_are_no_phone_numbers(self, asked):
        page = html._environment().from_string("{{ a }} {{ b }} {{ c|number }} <p d='{{ d }}'>{{ e|base64 }}")
        values = {
            "a": 13800138000,
            "b": "1,048,576",
            "c": 0.4123,
            "d": "M0.5 138.0 L13.8 0.0",
            "e": b"13800138000",
        }
        shown = page.render(**values)
        assert shown.startswith("13800138000 1,048,576 0.4123 <p d='M0.5 138.0 L13.8 0.0'>")

    def test_exported(self, asked, tmp_path):
        frame = pd.DataFrame({"text": [PERSON], "tags": [["13800138000"]], "n": [13800138000]})
        for name in ("a.csv", "a.jsonl"):
            said = export_frame(frame, tmp_path / name).read_text("utf-8")
            assert said.count("[phone]") == 2
            assert "lina" not in said
        assert openpyxl.load_workbook(export_frame(frame, tmp_path / "a.xlsx")).active["A2"].value == mask(
            PERSON
        )
        assert pd.read_parquet(export_frame(frame, tmp_path / "a.parquet"))["text"].tolist() == [mask(PERSON)]
        assert b"lina" not in csv_bytes(frame)
        assert frame["text"].tolist() == [PERSON]

    @pytest.mark.parametrize("write", [write_label_studio, write_argilla])
    def test_given_to_a_tool_for_labelling(self, write, asked, tmp_path):
        pairs = pd.DataFrame({"pair_id": ["a"], "jd": [f"联系 {SECRETS[0]}"], "resume": [PERSON]})
        labels = pd.DataFrame(
            {
                "pair_id": ["a"],
                "annotator": ["kim@example.cn"],
                "label": [1],
                "labelled_at": [""],
                "note": [""],
            }
        )
        said = write(tmp_path / "tasks.json", pairs, labels).read_text("utf-8")
        assert mask(PERSON) in said
        assert not [secret for secret in SECRETS if secret in said]
        # Who labelled is no candidate.
        assert ("kim@example.cn" in said) is (write is write_label_studio)

    @pytest.mark.parametrize("more", [[], ["--json"]])
    def test_the_command_line(self, more, tmp_path, monkeypatch):
        monkeypatch.delenv("WORKBENCH_MASK", raising=False)
        path = tmp_path / "cvs.txt"
        path.write_text(f"{PERSON}\n急诊护士\n", "utf-8")
        plain, said = (
            CliRunner()
            .invoke(app, [*given_, "search", "13800138000", "--kb", str(path), "-e", "keyword", *more])
            .stdout
            for given_ in ([], ["--mask"])
        )
        assert all(secret in plain for secret in SECRETS)
        assert not [secret for secret in SECRETS if secret in said]
        assert said.count("[phone]") >= 1
        if more:
            assert len(json.loads(said)["hits"]) == 2
        import os

        assert "WORKBENCH_MASK" not in os.environ

    def test_sent_to_an_encoder_and_in_its_fingerprint(self):
        with ScriptedServer(lambda request, _n: embeddings([[1.0, 2.0]] * len(request["input"]))) as server:
            plain = ServerEncoder(f"{server.url}#toy", mask=False)
            encoder = ServerEncoder(f"{server.url}#toy", mask=True)
            encoder.encode_documents([PERSON])
            encoder.encode_queries([f"护士 {PERSON}"])
            sent = [text for request in server.requests for text in request["input"]]
            assert mask(PERSON) in sent
            assert f"护士 {mask(PERSON)}" in sent
            assert not [text for text in sent if SECRETS[0] in text]
            assert encoder.fingerprint != plain.fingerprint
            assert "masking" not in plain.recipe

    def test_sent_to_a_reranker_and_in_its_fingerprint(self, asked):
        with ScriptedServer(lambda request, _n: reranked([0.5] * len(request["documents"]))) as server:
            reranker = ServerReranker(f"{server.url}#toy")
            list(reranker.score_batches(f"联系 {SECRETS[0]}", [PERSON]))
            assert server.requests[0]["query"] == "联系 [phone]"
            assert server.requests[0]["documents"] == [mask(PERSON)]
            assert reranker.recipe != ServerReranker(f"{server.url}#toy", mask=False).recipe

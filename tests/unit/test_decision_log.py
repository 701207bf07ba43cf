"""The decision log: only grows, holds no text, is safe against other writers and interrupted ones."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from workbench.calibration import check
from workbench.cli import app
from workbench.cutoffs import Cutoff
from workbench.decision_log import DecisionLog, document_id
from workbench.errors import EncoderMismatchError, InputError, LogWarning

ENCODER = SimpleNamespace(name="use", fingerprint="f00d")
CARD = Cutoff(0.4, "use", "f00d", {"guarantees": [{"figure": "precision", "target": 0.9, "cutoff": 0.4}]})
RESUME = "搭建过文档问答系统, phone 555 0100"


@pytest.fixture
def log(tmp_path):
    return DecisionLog(tmp_path / "decisions.jsonl")


def record(log, jd="jd-1", resume="p-1", score=0.5, **more):
    return log.record(CARD, encoder=ENCODER, jd_id=jd, resume_id=resume, score=score, **more)


class TestWhatIsKept:
    def test_who_when_which_card_which_score_and_both_decisions(self, log):
        chance = {"value": 0.9, "low": 0.8, "high": 0.95, "prevalence": 0.3}
        record(log, score=0.41, probability=chance, who="王芳", decision=False)
        row = log.read().iloc[0]
        assert datetime.now(UTC) - datetime.fromisoformat(row["at"]) < timedelta(minutes=1)
        assert (row["who"], row["person"], row["machine"]) == ("王芳", False, True)
        assert (row["card"], row["cutoff"], row["fingerprint"]) == (CARD.to_dict()["digest"], 0.4, "f00d")
        assert (row["score"], row["probability"], row["prevalence"]) == (0.41, 0.9, 0.3)

    def test_a_score_at_the_cutoff_is_no_match(self, log):
        assert not record(log, score=0.4).machine

    def test_a_bare_number_is_no_card(self, log):
        log.record(Cutoff(0.4), encoder=ENCODER, jd_id="a", resume_id="b", score=0.5)
        assert log.read()["card"][0] is None

    def test_no_text_of_a_resume_is_in_it(self, log):
        record(log, resume=document_id(RESUME))
        content = log.path.read_text(encoding="utf-8")
        assert "文档" not in content
        assert "555" not in content

    @pytest.mark.parametrize("name", ["", "a\nb", RESUME * 20])
    def test_a_text_is_refused_as_a_name(self, log, name):
        with pytest.raises(InputError, match="never its text"):
            record(log, resume=name)
        assert not log.path.exists()

    def test_a_decision_of_a_person_has_a_name(self, log):
        with pytest.raises(InputError, match="Say who decided"):
            record(log, decision=True)

    def test_a_formula_stays_a_text_when_it_is_exported(self, log, tmp_path):
        from workbench.files.exporting import export_frame

        record(log, jd="=HYPERLINK(1)", who="@boss", decision=True)
        path = export_frame(log.read(), tmp_path / "log.csv")
        assert "'=HYPERLINK(1)" in path.read_text(encoding="utf-8-sig")
        assert "'@boss" in path.read_text(encoding="utf-8-sig")


class TestTheFile:
    def test_it_only_grows(self, log):
        record(log)
        before = log.path.read_bytes()
        record(log, who="a", decision=True)
        assert log.path.read_bytes().startswith(before)

    def test_an_interrupted_write_is_told_with_its_line_and_loses_nothing_else(self, log):
        record(log, jd="one")
        with log.path.open("ab") as file:
            file.write(b'{"at": "2026-')
        record(log, jd="two")
        with pytest.warns(LogWarning, match="line 2 was left unfinished"):
            assert log.read()["jd_id"].tolist() == ["one", "two"]
        assert b'{"at": "2026-' in log.path.read_bytes()

    def test_it_is_known_as_a_log_even_if_the_first_write_was_interrupted(self, log, tmp_path):
        log.path.write_bytes(b'{"at": "2026-')
        record(log)
        assert DecisionLog.is_log(log.path)
        other = tmp_path / "pairs.jsonl"
        other.write_text('{"jd": "a", "resume": "b"}\n')
        assert not DecisionLog.is_log(other)

    def test_a_line_that_is_no_decision_is_refused_with_its_number(self, log):
        record(log)
        with log.path.open("a") as file:
            file.write('{"jd_id": "x"}\n')
        with pytest.raises(InputError, match="line 2, is no decision"):
            log.read()

    def test_writers_in_other_processes_lose_no_line(self, log):
        program = (
            "import sys; from types import SimpleNamespace as S; from workbench import DecisionLog, Cutoff\n"
            "log = DecisionLog(sys.argv[1])\n"
            "for i in range(25):\n"
            "    log.record(Cutoff(0.4), encoder=S(name='u', fingerprint='f'), jd_id=str(i),\n"
            "               resume_id=sys.argv[2], score=0.5)\n"
        )
        running = [
            subprocess.Popen([sys.executable, "-c", program, str(log.path), name]) for name in ("a", "b")
        ]
        assert [each.wait(60) for each in running] == [0, 0]
        frame = log.read()
        assert len(frame) == 50
        assert frame.groupby("resume_id")["jd_id"].nunique().to_dict() == {"a": 25, "b": 25}

    def test_only_json_lines_are_taken(self, tmp_path):
        with pytest.raises(InputError, match="JSON lines"):
            DecisionLog(tmp_path / "decisions.xlsx")

    def test_there_is_none_before_the_first_decision(self, log):
        with pytest.raises(InputError, match="There is no decision log"):
            log.read()


class TestAsLiveData:
    def test_the_last_decision_of_a_person_is_the_label(self, log):
        record(log, who="a", decision=True)
        record(log, who="b", decision=False)
        record(log)
        record(log, jd="jd-2")
        pairs = log.pairs(CARD).set_index("jd_id")
        assert pairs.loc["jd-1", ["label", "who"]].tolist() == [0.0, "b"]
        assert np.isnan(pairs.loc["jd-2", "label"])
        assert len(pairs) == 2

    def test_decisions_by_another_encoder_are_left_out_and_counted(self, log):
        record(log)
        log.record(
            Cutoff(0.4),
            encoder=SimpleNamespace(name="x", fingerprint="1"),
            jd_id="b",
            resume_id="c",
            score=0.5,
        )
        with pytest.warns(LogWarning, match="1 decision of decisions.jsonl is by another encoder"):
            assert log.pairs(CARD)["jd_id"].tolist() == ["jd-1"]

    def test_a_log_of_another_encoder_alone_is_refused(self, log):
        log.record(
            Cutoff(0.4),
            encoder=SimpleNamespace(name="x", fingerprint="1"),
            jd_id="b",
            resume_id="c",
            score=0.5,
        )
        with pytest.raises(EncoderMismatchError):
            log.pairs(CARD)

    def test_check_tests_the_cards_promise_on_what_people_decided(self, log):
        for n in range(120):
            record(log, jd=f"jd-{n}", resume=f"p-{n}", score=0.6, who="a", decision=n % 2 == 0)
        found = check(CARD, log.pairs(CARD))
        assert found.holds is False
        assert found.encoder_known
        assert found.n_labelled == 120


class TestCommands:
    def test_search_writes_what_the_machine_decided_and_check_reads_it(self, tmp_path):
        path, run = tmp_path / "log.jsonl", CliRunner()
        asked = ["search", RESUME, "--encoder", "use", "--cutoff", "0.2", "--log", str(path)]
        shown = json.loads(run.invoke(app, [*asked, "--candidate", "p-9", "--json"]).stdout)
        frame = DecisionLog(path).read()
        assert frame["score"].tolist() == [hit["score"] for hit in shown["hits"]]
        assert frame["machine"].tolist() == [hit["is_match"] for hit in shown["hits"]]
        assert set(frame["resume_id"]) == {"p-9"}
        assert frame["jd_id"].str.startswith("text-").all()
        promised = {"guarantees": [{"figure": "precision", "target": 0.9, "cutoff": 0.2}]}
        card = Cutoff(0.2, frame["encoder"][0], frame["fingerprint"][0], promised).save(
            tmp_path / "card.json"
        )
        checked = run.invoke(app, ["check", str(card), str(path), "--json"])
        assert json.loads(checked.stdout)["n_unlabelled"] == len(frame)
        assert checked.exit_code == 3

    def test_a_sequential_check_takes_decisions_in_the_order_in_which_they_were_made(self, log, tmp_path):
        for n in range(150):
            record(log, jd=f"jd-{n}", resume=f"p-{n}", score=0.6, who="a", decision=n % 3 > 0)
        card = CARD.save(tmp_path / "card.json")
        asked = ["check", str(card), str(log.path), "--sequential", "--most-per-jd", "5", "--json"]
        checked = CliRunner().invoke(app, asked, catch_exceptions=False)
        assert (checked.exit_code, json.loads(checked.stdout)["holds"]) == (1, False)

    def test_a_candidate_without_a_log_is_refused(self):
        refused = CliRunner().invoke(app, ["search", "x", "--candidate", "p"])
        assert refused.exit_code == 2
        assert "give --log too" in refused.output

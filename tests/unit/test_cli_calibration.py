"""``workbench calibrate``: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_score, recall_score
from typer.testing import CliRunner, Result

from workbench import Cutoff, load_encoder
from workbench.calibration import Capacity, MaxFBeta, MinCost, TargetRecall
from workbench.cli import app
from workbench.cli.options import rule_from_text
from workbench.errors import InputError
from workbench.pairs import read_pairs, score_pairs
from workbench.scorers import scorer_of

SKILLS = ("python", "nursing", "welding", "tax", "java", "sales", "design", "teaching")


def workbench(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def cased(text: str, number: int) -> str:
    """The text with capitals where the bits of a number are set."""
    return "".join(c.upper() if number >> at & 1 else c for at, c in enumerate(text))


def plain(text: str) -> str:
    """Without the line breaks that a table's width makes."""
    return " ".join(text.split())


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_pairs_file(path, *, wrong_share: float, n: int = 160):
    """Pairs whose match shares words with its JD, and some labels turned round."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(n):
        skill, other = SKILLS[number % 8], SKILLS[(number + 3) % 8]
        is_match = number % 2 == number // 8 % 2
        told = skill if is_match else other
        label = int(is_match) ^ int(rng.random() < wrong_share)
        rows.append((f"{skill} engineer wanted {number}", f"{told} work for {number % 5 + 1} years", label))
    pd.DataFrame(rows, columns=["jd", "resume", "label"]).to_csv(path, index=False)
    return path


@pytest.fixture
def clear(here):
    """Pairs that the keyword encoder parts without an error."""
    return write_pairs_file(here / "clear.csv", wrong_share=0.0)


@pytest.fixture
def muddled(here):
    return write_pairs_file(here / "muddled.csv", wrong_share=0.5)


class TestAnAnswerThatIsYes:
    def test_it_ends_with_0_and_writes_a_card_for_the_encoder(self, clear, here):
        done = workbench(
            "calibrate", clear, "-e", "keyword", "--target-precision", 0.8, "-o", "card.json", "--no-report"
        )
        assert done.exit_code == 0, done.output
        card = Cutoff.load(here / "card.json")
        assert card.fingerprint == load_encoder("keyword").fingerprint
        assert card.evidence["basis"] == "guarantee"

    def test_what_to_do_comes_first_and_the_evidence_has_figures_at_both_cutoffs(self, clear):
        done = workbench("calibrate", clear, "-e", "keyword", "--target-precision", 0.8, "--evidence")
        lines = plain(done.stdout)
        assert "Move to" in lines[:20]
        scored = score_pairs(read_pairs(clear), load_encoder("keyword"))
        for cutoff in (0.4, json.loads(_json(clear).stdout)["cutoff"]):
            called = scored["score"] > cutoff
            for score in (precision_score, recall_score):
                value = score(scored["label"], called, zero_division=np.nan)
                assert np.isnan(value) or f"{100 * value:.1f} %" in lines
        for label in ("today", "guarantee", "stability", "prevalence", "corrected"):
            assert label in lines

    def test_json_holds_the_card_and_the_sentences_and_nothing_else_is_on_stdout(self, clear):
        done = _json(clear)
        said = json.loads(done.stdout)
        assert said["found"] is True
        assert said["card"]["cutoff"] == said["cutoff"] == said["advice"]["cutoff"]
        assert said["advice"]["kind"] == "move"
        assert said["advice"]["sentence"] == said["sentences"]["advice"]
        assert "today's cutoff 0.4000" in said["sentences"]["verdict"]


def _json(path) -> Result:
    return workbench("calibrate", path, "-e", "keyword", "--target-precision", 0.8, "--json")


class TestAnAnswerThatIsNo:
    def test_the_claim_of_0_4_is_no_claim_about_another_scorer(self, clear):
        done = workbench("calibrate", clear, "-s", "keyword+relative", "--evidence")
        assert "0.4000" not in done.output

    def test_without_a_guaranteed_cutoff_it_ends_with_1_and_writes_no_card(self, muddled, here):
        done = workbench(
            "calibrate",
            muddled,
            "-e",
            "keyword",
            "--target-precision",
            0.95,
            "-o",
            "card.json",
            "--no-report",
        )
        assert done.exit_code == 1
        assert not (here / "card.json").exists()
        assert "No card is written" in plain(done.stderr)

    def test_how_many_labels_are_lacking_is_said(self, here):
        few = write_pairs_file(here / "few.csv", wrong_share=0.0, n=24)
        done = workbench("calibrate", few, "-e", "keyword", "--target-precision", 0.9)
        assert done.exit_code == 1
        assert "more pairs, or take another encoder" in plain(done.stdout)

    def test_an_unproven_cutoff_is_taken_if_that_is_asked_for_and_the_card_says_so(self, here):
        few = write_pairs_file(here / "few.csv", wrong_share=0.0, n=24)
        asked = (
            "calibrate",
            few,
            "-e",
            "keyword",
            "--target-precision",
            0.9,
            "-o",
            "card.json",
            "--no-report",
        )
        done = workbench(*asked, "--allow-unproven")
        assert done.exit_code == 0, done.output
        assert Cutoff.load(here / "card.json").evidence["basis"] == "rule"
        assert "nothing is guaranteed" in plain(done.stdout)


class TestInput:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--out", "card.txt"), "a cutoff card is a .json file"),
            (("--choose-by", "best"), "there are: f1, f2"),
            (("--current-cutoff", "high"), "a number from -1 to 1"),
            (("--target-precision", "89"), "89"),
            (("--column", "jd"), "OURS=THEIRS"),
            (("--cluster", "family"), "no column 'family'"),
            (("--weights", "w"), "no column 'w'"),
        ],
    )
    def test_what_cannot_be_used_ends_with_2_and_a_sentence(self, clear, arguments, said):
        done = workbench("calibrate", clear, "-e", "keyword", *arguments)
        assert done.exit_code == 2
        assert said in plain(done.stderr)

    def test_pairs_that_are_not_there_end_with_2(self):
        done = workbench("calibrate", "nowhere.csv", "-e", "keyword")
        assert done.exit_code == 2
        assert "nowhere.csv" in done.stderr

    def test_a_card_of_another_encoder_is_refused_as_todays_cutoff(self, clear, here):
        Cutoff(0.5, "other", "0000").save(here / "other.json")
        done = workbench("calibrate", clear, "-e", "keyword", "--current-cutoff", "other.json")
        assert done.exit_code == 2
        assert "was calibrated for other" in plain(done.stderr)

    def test_a_table_with_other_names_and_words_as_labels_can_be_read(self, clear, here):
        theirs = pd.read_csv(clear).rename(columns={"jd": "job", "resume": "cv", "label": "fit"})
        theirs["fit"] = theirs["fit"].map({1: "Good Fit", 0: "No Fit"})
        theirs.to_csv(here / "theirs.csv", index=False)
        names = ("--column", "jd=job", "--column", "resume=cv", "--column", "label=fit")
        asked = ("-e", "keyword", "--target-precision", 0.8, "--json")
        ours = json.loads(workbench("calibrate", clear, *asked).stdout)
        done = workbench(
            "calibrate", "theirs.csv", *names, "--positive", "Good Fit", "--negative", "No Fit", *asked
        )
        assert json.loads(done.stdout)["cutoff"] == ours["cutoff"]

    def test_a_parquet_file_of_scores_without_texts_is_enough(self, here):
        rng = np.random.default_rng(0)
        match = rng.random(800) < 0.5
        table = pd.DataFrame(
            {"similarity": 0.3 + 0.3 * match + 0.05 * rng.standard_normal(800), "fit": match}
        )
        table.assign(language=np.where(match[::-1], "zh", "en")).to_parquet("scores.parquet")
        asked = (
            "-s",
            "column:similarity",
            "--column",
            "label=fit",
            "--groups",
            "language",
            "-o",
            "card.json",
        )
        done = workbench("calibrate", "scores.parquet", *asked, "--target-precision", 0.9, "--json")
        assert done.exit_code == 0, done.stderr
        card = Cutoff.load("card.json")
        assert 0.3 < card.value < 0.6
        assert (card.encoder_name, card.evidence["pairs"]["n"]) == ("column:similarity", 800)
        assert "scores.parquet" in (here / "card.html").read_text()


class TestLittle:
    """An answer or a clear refusal, never a traceback."""

    @staticmethod
    def pairs(path, labels):
        rows = [
            (f"{SKILLS[n % 8]} engineer {n}", f"{SKILLS[n % 3]} work {n}", label)
            for n, label in enumerate(labels)
        ]
        pd.DataFrame(rows, columns=["jd", "resume", "label"]).to_csv(path, index=False)
        return path

    @pytest.mark.parametrize("label", [0, 1])
    def test_pairs_of_one_kind_end_with_2_and_what_to_do(self, here, label):
        done = workbench("calibrate", self.pairs(here / "one.csv", [label] * 8), "-e", "keyword")
        assert done.exit_code == 2
        assert "Label some of the other kind" in plain(done.stderr)

    def test_three_pairs_end_with_1_and_how_many_are_lacking(self, here):
        done = workbench("calibrate", self.pairs(here / "three.csv", [1, 0, 1]), "-e", "keyword")
        assert done.exit_code == 1
        assert "There is no cutoff to adopt" in plain(done.stdout)

    def test_scores_that_are_all_equal_end_with_1(self, here):
        # The encoder does not see case, by which the JDs differ.
        rows = [(cased("intensive care nursing", n), "steel pipe welder", n % 2) for n in range(40)]
        pd.DataFrame(rows, columns=["jd", "resume", "label"]).to_csv(here / "equal.csv", index=False)
        scored = score_pairs(read_pairs(here / "equal.csv"), load_encoder("keyword"))
        assert scored["score"].max() == scored["score"].min()
        done = workbench("calibrate", "equal.csv", "-e", "keyword")
        assert done.exit_code == 1
        assert "There is no cutoff to adopt" in plain(done.stdout)


class TestWhatIsAskedFor:
    @pytest.mark.parametrize(("confidence", "exit_code"), [(0.6, 0), (0.95, 1)])
    def test_more_confidence_asks_for_more_labels(self, here, confidence, exit_code):
        """Without an error 12 accepted pairs show 0.893 with 1 - 0.893^12 = 74 % confidence, and no more."""
        few = write_pairs_file(here / "few.csv", wrong_share=0.0, n=24)
        asked = ("-e", "keyword", "--target-precision", 0.893, "--confidence", confidence, "--json")
        done = workbench("calibrate", few, *asked)
        assert done.exit_code == exit_code
        assert json.loads(done.stdout)["advice"]["confidence"] == confidence

    def test_the_encoders_own_card_is_todays_cutoff(self, clear, here, monkeypatch):
        encoder = load_encoder("keyword")
        Cutoff(0.25, encoder.name, encoder.fingerprint).save(here / "labeled_pairs/cutoffs/own.json")
        monkeypatch.setenv("WORKBENCH_PROJECT", str(here))
        done = workbench("calibrate", clear, "-e", "keyword", "--json")
        assert json.loads(done.stdout)["advice"]["today"] == 0.25

    def test_with_no_cutoff_in_use_there_is_no_verdict(self, clear):
        done = workbench("calibrate", clear, "-e", "keyword", "--current-cutoff", "none")
        assert "today's" not in done.stdout

    def test_the_live_prevalence_is_said_and_lowers_precision(self, muddled):
        def precision(*more):
            done = workbench("calibrate", muddled, "-e", "keyword", "--current-cutoff", 0.2, "--json", *more)
            return json.loads(done.stdout)["figures_today"]["precision"]["value"]

        assert precision("--prevalence", 0.05) < precision()
        done = workbench("calibrate", muddled, "-e", "keyword", "--prevalence", 0.05)
        assert "160 pairs, 5.0 % matches" in plain(done.stdout)

    def test_pairs_as_they_come_in_weight_the_labelled_ones(self, muddled, here):
        """Live pairs are all of matching words, as half of the labelled ones are: these alone are left."""
        pairs = pd.read_csv(muddled)
        scores = score_pairs(read_pairs(muddled), load_encoder("keyword"))["score"]
        pairs[(scores > scores.median()).to_numpy()].drop(columns="label").to_csv(
            here / "live.csv", index=False
        )
        asked = ("calibrate", muddled, "-e", "keyword", "--choose-by", "youden")
        done = workbench(*asked, "--live", "live.csv", "--json")
        live = json.loads(done.stdout)["card"]["evidence"]["live"]
        assert live["given"] == "scores"
        assert live["scores"]["n_unused"] > 0
        assert "Weighted, " in plain(workbench(*asked, "--live", "live.csv", "--evidence").stdout)

    def test_wrong_labels_can_be_allowed_for(self, clear):
        asked = ("calibrate", clear, "-e", "keyword", "--target-precision", 0.8, "--label-error")
        told = workbench(*asked, "0.02,0.03", "--evidence").stdout
        assert "up to 3 % of matches labelled no match" in plain(told)
        unreadable = workbench(*asked, "some")
        assert unreadable.exit_code == 2
        assert "--label-error is 'some'" in plain(unreadable.output)
        assert "two labels that people gave independently" in plain(workbench(*asked, "annotators").output)

    def test_live_pairs_and_a_prevalence_are_one_too_many(self, muddled):
        done = workbench("calibrate", muddled, "-e", "keyword", "--live", muddled, "--prevalence", 0.1)
        assert done.exit_code == 2
        assert "live pairs imply a prevalence" in plain(done.stderr)

    def test_a_rule_chooses_without_a_guarantee(self, muddled):
        done = workbench("calibrate", muddled, "-e", "keyword", "--choose-by", "youden", "--json")
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["card"]["evidence"]["choice"]["rule"] == "MaxYouden"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("F0.5", MaxFBeta(0.5)),
        ("recall:0.9", TargetRecall(0.9)),
        ("cost:1/5", MinCost(1, 5)),
        ("capacity:200/1600", Capacity(200, 1600)),
    ],
)
def test_rules_are_read_from_words(text, rule):
    assert rule_from_text(text) == rule


@pytest.mark.parametrize(
    "text", ["", "f", "fx", "recall", "recall:", "cost:1", "cost:a/b", "youden:1", "f1:2"]
)
def test_words_that_name_no_rule_are_refused(text):
    with pytest.raises(InputError, match="names no rule"):
        rule_from_text(text)


class TestTheReport:
    def test_it_lies_beside_the_card_even_where_the_answer_is_no(self, muddled, here):
        done = workbench("calibrate", muddled, "-e", "keyword", "--target-precision", 0.95, "-o", "card.json")
        assert done.exit_code == 1
        assert "report: card.html" in done.stdout
        assert "Cutoff report" in (here / "card.html").read_text(encoding="utf-8")

    def test_it_is_left_out_if_that_is_asked_for(self, muddled, here):
        workbench("calibrate", muddled, "-e", "keyword", "-o", "card.json", "--no-report")
        assert not list(here.glob("*.html"))


class TestGroups:
    def test_they_are_compared_at_the_cutoff_and_kept_in_the_card(self, clear, here):
        grouped = pd.read_csv(clear)
        grouped["language"] = ["zh" if i % 3 else "en" for i in range(len(grouped))]
        grouped.to_csv(here / "grouped.csv", index=False)
        asked = ("calibrate", "grouped.csv", "-e", "keyword", "--target-precision", 0.8)
        done = workbench(*asked, "--groups", "language", "-o", "card.json", "--no-report")
        assert done.exit_code == 0, done.output
        assert "By language" in done.stdout
        assert "By language, at" in plain(done.stdout)
        card = Cutoff.load(here / "card.json")
        assert {row["group"] for row in card.evidence["groups"][0]["groups"]} == {"zh", "en"}

    def test_a_column_that_is_not_there_ends_with_2(self, clear):
        done = workbench("calibrate", clear, "-e", "keyword", "--groups", "family")
        assert done.exit_code == 2
        assert "'family'" in done.stderr


class TestCheck:
    """A card made from clear pairs, and new pairs that keep its promise, break it, or cannot tell."""

    @pytest.fixture
    def card(self, clear, here):
        asked = ("-e", "keyword", "--target-precision", 0.8, "-o", "card.json", "--no-report")
        assert workbench("calibrate", clear, *asked).exit_code == 0
        return here / "card.json"

    def test_a_cutoff_that_keeps_its_promise_ends_with_0(self, card, here):
        # 320 pairs, so that they are not the ones that the card was made from.
        new = write_pairs_file(here / "new.csv", wrong_share=0.0, n=320)
        done = workbench("check", card, new, "--require-proof")
        assert done.exit_code == 0, done.output
        assert "still holds" in plain(done.stdout)

    @pytest.mark.parametrize("spec", ["keyword+relative", "column:vendor"])
    def test_a_scorer_is_found_by_its_card_with_what_it_froze(self, here, spec):
        def pairs(name, n, turned=False):
            frame = pd.read_csv(write_pairs_file(here / name, wrong_share=0.0, n=n))
            frame["vendor"] = 0.2 + 0.6 * frame["label"]
            frame.assign(label=frame["label"] ^ turned).to_csv(here / name, index=False)
            return name

        asked = ("-s", spec, "--target-precision", 0.8, "-o", "card.json", "--no-report")
        made = workbench("calibrate", pairs("pairs.csv", 160), *asked)
        assert made.exit_code == 0, made.output
        card = Cutoff.load(here / "card.json")
        assert (card.encoder_name, bool(card.frozen)) == (spec, spec != "column:vendor")
        assert ("measured on these" in plain(made.stderr)) == bool(card.frozen)
        check = ("check", "card.json", pairs("new.csv", 320), "--target-precision", 0.6)
        assert workbench(*check).exit_code == 0
        assert workbench(*check, "-s", spec).exit_code == 0
        assert workbench(*check, "-e", "keyword").exit_code == 2
        assert workbench("check", "card.json", pairs("turned.csv", 320, turned=True)).exit_code == 1

    def test_language_pairs_get_offsets_for_a_scorer_and_a_sentence_for_an_encoder(self, here, monkeypatch):
        rng = np.random.default_rng(0)
        zh = np.arange(400) % 2 == 0
        label = (rng.random(400) < 0.4).astype(int)
        score = 0.3 + 0.3 * label + 0.1 * rng.normal(size=400) - 0.2 * zh
        jd = np.where(zh, "护士岗位 ", "nurse wanted ")
        numbers = pd.Series(np.arange(400)).astype(str)
        pairs = {
            "jd": jd + numbers,
            "resume": np.where(zh, "病房护理 ", "ward nurse ") + numbers,
            "label": label,
        }
        pd.DataFrame(pairs).to_csv(here / "pairs.csv", index=False)

        def scored(pairs, encoder, **_options):
            frame = pairs.assign(score=score)
            frame.attrs["encoder"] = {"name": "keyword", "fingerprint": load_encoder("keyword").fingerprint}
            return frame

        monkeypatch.setattr("workbench.pairs.score_pairs", scored)
        asked = ("calibrate", "pairs.csv", "--target-precision", 0.7, "--no-report", "-o")
        done = workbench(*asked, "encoder.json", "-e", "keyword")
        assert "Equal scores do not mean the same" in plain(done.output)
        assert Cutoff.load(here / "encoder.json").encoder_name == "keyword"
        workbench(*asked, "scorer.json", "-s", "keyword")
        card = Cutoff.load(here / "scorer.json")
        assert card.encoder_name == "keyword+offsets"
        offsets = scorer_of(card).offsets
        assert offsets["zh-zh"] - offsets["other-other"] == pytest.approx(0.2, abs=0.05)

    def test_an_encoder_and_a_scorer_are_one_too_many(self, clear):
        done = workbench("calibrate", clear, "-s", "keyword+relative", "-e", "keyword")
        assert done.exit_code == 2
        assert "Give --encoder or --scorer" in plain(done.stderr)

    def test_a_cutoff_that_breaks_its_promise_ends_with_1_and_the_reason(self, card, here):
        new = write_pairs_file(here / "new.csv", wrong_share=0.5, n=320)
        done = workbench("check", card, new)
        assert done.exit_code == 1
        assert "no longer holds" in plain(done.stdout)
        assert "recision" in done.stdout

    def test_pairs_that_cannot_tell_end_with_3_and_with_1_where_proof_is_required(self, card, here):
        few = write_pairs_file(here / "few.csv", wrong_share=0.0, n=6)
        done = workbench("check", card, few)
        assert done.exit_code == 3, done.output
        assert "not enough to say" in plain(done.stdout)
        assert "no proof" in plain(done.stderr)
        assert workbench("check", card, few, "--require-proof").exit_code == 1

    def test_a_check_after_each_batch_decides_as_pairs_come_in(self, card, here):
        new = write_pairs_file(here / "new.csv", wrong_share=0.5, n=320)
        pairs = pd.read_csv(new)
        pairs.assign(day=pd.date_range("2026-01-01", periods=len(pairs))).to_csv(new, index=False)
        done = workbench("check", card, new, "--sequential", "--time", "day")
        assert done.exit_code == 1
        assert "first reached at 2026-" in plain(done.stdout)
        asked = ("check", card, new, "--sequential", "--time", "day", "--json")
        assert json.loads(workbench(*asked).stdout)["sequential"] is True
        refused = workbench("check", card, new, "--sequential")
        assert refused.exit_code == 2
        assert "--time COLUMN" in plain(refused.stderr)

    @pytest.mark.parametrize(("target", "exit_code"), [(0.2, 0), (0.9, 1)])
    def test_a_target_of_its_own_may_be_tested_instead(self, card, here, target, exit_code):
        new = write_pairs_file(here / "new.csv", wrong_share=0.4, n=320)
        done = workbench("check", card, new, "--target-precision", target, "--json")
        assert done.exit_code == exit_code
        said = json.loads(done.stdout)
        assert [(p["value"], p["source"]) for p in said["promises"]] == [(target, "given")]
        assert said["holds"] is (exit_code == 0)

    def test_the_live_prevalence_counts(self, card, here):
        new = write_pairs_file(here / "new.csv", wrong_share=0.1, n=320)
        asked = ("check", card, new, "--target-precision", 0.7)
        assert workbench(*asked).exit_code == 0
        assert workbench(*asked, "--prevalence", 0.05).exit_code == 1

    @pytest.mark.parametrize("missing", ["card.json", "new.csv"])
    def test_files_that_are_not_there_end_with_2_not_with_1(self, card, clear, here, missing):
        given = {"card.json": card, "new.csv": clear} | {missing: here / "nowhere" / missing}
        done = workbench("check", given["card.json"], given["new.csv"])
        assert done.exit_code == 2
        assert missing in plain(done.stderr).replace(" ", "")

    def test_pairs_without_labels_are_compared_by_their_scores(self, card, clear, here):
        pd.read_csv(clear).drop(columns="label").to_csv(here / "pool.csv", index=False)
        done = workbench("check", card, "pool.csv", "--unlabelled", "--json")
        said = json.loads(done.stdout)
        assert done.exit_code == 3
        assert (said["n_labelled"], said["n_unlabelled"]) == (0, 160)
        assert said["shift"] is not None

    def test_scores_that_have_moved_far_end_with_1_without_any_label(self, card, here):
        unlike = pd.DataFrame({"jd": [f"nurse {i}" for i in range(200)], "resume": "welding"})
        unlike.to_csv(here / "pool.csv", index=False)
        done = workbench("check", card, "pool.csv", "--unlabelled")
        assert done.exit_code == 1
        assert "no longer holds" in plain(done.stdout)

    def test_another_encoder_than_the_cards_is_refused_before_anything_is_encoded(self, card, clear):
        for pairs in (clear, "not even there.csv"):
            done = workbench("check", card, pairs, "-e", "use")
            assert done.exit_code == 2
            assert "was calibrated for keyword" in plain(done.stderr)

    def test_an_edited_card_is_refused(self, card, clear):
        edited = json.loads(card.read_text(encoding="utf-8"))
        edited["cutoff"] = 0.1
        card.write_text(json.dumps(edited), encoding="utf-8")
        done = workbench("check", card, clear)
        assert done.exit_code == 2
        assert "was changed after it was written" in plain(done.stderr)

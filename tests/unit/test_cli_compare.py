"""``workbench compare``: the sentence first, the keyword baseline always there, and how it ends."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from rich.cells import cell_len
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner, Result

from workbench import load_encoder
from workbench.cli import app
from workbench.cli.variants import Scored, named_once
from workbench.errors import InputError
from workbench.pairs import pair_vectors, read_pairs, score_pairs
from workbench.scorers import load_scorer

pytestmark = pytest.mark.slow

SKILLS = ("python 开发", "nursing", "welding", "tax", "java", "sales", "design", "teaching")
FAST = ("--no-timing",)


def workbench(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def plain(text: str) -> str:
    """Without the line breaks that a table's width makes."""
    return " ".join(text.split())


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pairs(here):
    """80 pairs of 16 JDs from two sources, one in five labelled wrongly."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(80):
        skill, other = SKILLS[number % 8], SKILLS[(number + 3) % 8]
        label = int(number // 8 % 2) ^ int(rng.random() < 0.2)
        told = skill if number // 8 % 2 else other
        source = "drawn" if number % 3 else "plain"
        rows.append((f"{skill} engineer wanted {number % 16}", f"{told} work {number}", label, source))
    frame = pd.DataFrame(rows, columns=["jd", "resume", "label", "source"])
    frame.to_csv(here / "pairs.csv", index=False)
    return here / "pairs.csv"


class TestWhatItPrints:
    def test_which_is_better_comes_first_and_all_fits_on_a_screen(self, pairs):
        done = workbench("compare", pairs, "-e", "use", *FAST)
        assert done.exit_code == 0, done.output
        said = plain(done.stdout)
        assert re.match(r". keyword and use: no difference larger than 0\.\d{3} F1 can be told", said)
        assert said.index("by labelled pairs") < said.index("encoder cutoff F1 decisions that differ")
        assert len(done.stdout.splitlines()) <= 15
        assert "AUC" not in said
        assert "What stands behind it: --evidence" in done.stderr

    def test_a_scorer_stands_beside_the_keyword_baseline(self, pairs):
        done = workbench("compare", pairs, "-s", "keyword+relative", "--json", *FAST)
        assert done.exit_code == 0, done.output
        found = json.loads(done.stdout)
        assert list(found["encoders"]) == ["keyword+relative", "keyword"]
        frame = read_pairs(pairs)
        scored = score_pairs(frame, load_scorer("keyword+relative"))
        auc = {row["encoder"]: row["value"] for row in found["figures"] if row["figure"] == "auc"}
        assert auc["keyword+relative"] == pytest.approx(roc_auc_score(scored["label"], scored["score"]))
        assert found["encoders"]["keyword+relative"]["fingerprint"] == scored.attrs["encoder"]["fingerprint"]

    def test_a_precision_that_is_asked_for_is_compared_by_recall(self, pairs):
        said = plain(workbench("compare", pairs, "-e", "use", "--target-precision", 0.7, *FAST).stdout)
        assert "recall at 70.0 % precision" in said

    def test_pairs_composed_to_be_hard_are_left_out_unless_asked_for(self, pairs):
        frame = pd.read_csv(pairs)
        frame["source"] = frame["source"].replace("drawn", "hard")
        frame.to_csv(pairs, index=False)
        n_hard = int((frame["source"] == "hard").sum())
        done = workbench("compare", pairs, "-e", "use", "--evidence", *FAST)
        said = plain(done.stdout)
        assert f"{n_hard} pairs of another kind are left out (--pairs all takes them)" in plain(done.stderr)
        assert f"{80 - n_hard} labelled pairs of" in said
        assert f"{n_hard} pairs of another kind are left out." in said
        assert "hard" in said.split("By source")[1]
        every = workbench("compare", pairs, "-e", "use", "--evidence", "--pairs", "all", *FAST)
        assert "80 labelled pairs of 16 JDs" in plain(every.stdout)
        assert "left out" not in every.stderr

    def test_evidence_is_printed_when_it_is_asked_for(self, pairs):
        said = plain(workbench("compare", pairs, "-e", "use", "--evidence", *FAST).stdout)
        labelled = read_pairs(pairs)
        for name in ("use", "keyword"):
            scores = score_pairs(labelled, load_encoder(name))["score"]
            assert f"{roc_auc_score(labelled['label'], scores):.3f}" in said
        for told in ("McNemar", "All figures", "By source", "80 labelled pairs of 16 JDs", "Obuchowski"):
            assert told in said
        without = workbench("compare", pairs, "-e", "use", "--evidence", "--groups", "none", *FAST)
        assert "By source" not in without.stdout

    @pytest.mark.parametrize("width", [80, 100])
    @pytest.mark.parametrize("code", ["en", "zh"])
    def test_no_name_and_no_figure_is_cut_off(self, pairs, monkeypatch, width, code):
        monkeypatch.setenv("COLUMNS", str(width))
        done = workbench("--language", code, "compare", pairs, "-e", "use", "--dimension", 256, "--evidence")
        assert done.exit_code == 0, done.output
        assert "…" not in done.stdout
        lines = done.stdout.splitlines()
        assert max(map(cell_len, lines)) <= width
        assert sum(re.match(r" *use@256 +0\.\d{4} ", line) is not None for line in lines) == 1
        intervals = [line for line in lines if re.search(r"0\.\d{3}–", line)]
        assert intervals
        assert all(re.search(r"[(（]0\.\d{3}–\d\.\d{3}[)）]", line) for line in intervals)


class TestWhatIsCompared:
    @staticmethod
    def entry(*arguments):
        done = workbench("compare", *arguments, *FAST, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def test_the_keyword_baseline_is_there_once(self, pairs):
        assert list(self.entry(pairs, "-e", "use")["encoders"]) == ["use", "keyword"]
        assert list(self.entry(pairs, "-e", "keyword", "-e", "use")["encoders"]) == ["keyword", "use"]

    def test_json_holds_figures_decisions_groups_and_sentences(self, pairs):
        said = self.entry(pairs, "-e", "use")
        assert said["baseline"] == "use"
        assert said["standing"].keys() == {"keyword"}
        assert said["sentences"]["keyword"].startswith("keyword ")
        assert {row["group"] for row in said["groups"]["source"]} == {"drawn", "plain"}
        assert said["encoders"]["use"]["fingerprint"] == load_encoder("use").fingerprint

    def test_vectors_are_cut_to_a_dimension_and_made_unit_length_again(self, pairs):
        said = self.entry(pairs, "-e", "use", "--dimension", 64)
        labelled = read_pairs(pairs)
        jds, resumes = (side[:, :64] for side in pair_vectors(labelled, load_encoder("use")))
        cosines = (jds * resumes).sum(1) / np.linalg.norm(jds, axis=1) / np.linalg.norm(resumes, axis=1)
        aucs = {row["encoder"]: row["value"] for row in said["figures"] if row["figure"] == "auc"}
        assert aucs["use@64"] == pytest.approx(roc_auc_score(labelled["label"], cosines))
        # It is another encoder, whose fingerprint is not that of all dimensions.
        assert said["encoders"]["use@64"]["fingerprint"] is None

    def test_that_an_encoder_was_not_made_to_be_cut_is_said(self, pairs):
        done = workbench("compare", pairs, "-e", "use", "--dimension", 64, *FAST)
        assert "use was not made to be cut" in plain(done.stderr)

    def test_a_rule_chooses_all_cutoffs(self, pairs):
        assert self.entry(pairs, "-e", "use", "--choose-by", "youden")["rule"]["rule"] == "MaxYouden"

    def test_the_cost_is_measured_without_the_store(self, pairs, monkeypatch):
        score_pairs(read_pairs(pairs), load_encoder("use"))
        from workbench import encoders

        asked = []

        def measured(encoder, documents, queries):
            asked.append(encoder.name)
            return 2.0

        monkeypatch.setattr(encoders, "milliseconds_a_text", measured)
        done = workbench("compare", pairs, "-e", "use", "--json")
        assert asked == ["use", "keyword"]
        assert json.loads(done.stdout)["milliseconds"] == {"use": 2.0, "keyword": 2.0}

    @pytest.mark.models
    def test_instructions_precisions_and_dimensions_are_variants_of_a_checkpoint(
        self, here, qwen3_checkpoint
    ):
        few = pd.DataFrame({"jd": ["护士", "Java"] * 4, "resume": [f"技能 {n}" for n in range(8)]})
        few.assign(label=[0, 1, 1, 0] * 2).to_csv(here / "few.csv", index=False)
        asked = ("-e", f"qwen3:{qwen3_checkpoint}", "-d", 32, "--instruction", "none", "--dtype", "bfloat16")
        said = self.entry("few.csv", *asked)
        name = said["baseline"]
        assert list(said["encoders"]) == [
            name,
            f"{name}@32",
            f"{name}, no instruction",
            f"{name}, no instruction@32",
            f"{name}, bfloat16",
            f"{name}, bfloat16@32",
            "keyword",
        ]
        assert said["encoders"][f"{name}, no instruction"]["instruction"] is None


def test_two_checkpoints_of_one_name_are_told_apart_and_one_given_twice_is_refused():
    entry = {"fingerprint": "abc", "dimension": 4}
    frame = pd.DataFrame()
    first = Scored("model", frame, entry, None)
    other = named_once(Scored("model", frame, {**entry, "fingerprint": "def"}, None), [first])
    third = named_once(Scored("model", frame, {**entry, "fingerprint": "123"}, None), [first, other])
    assert [other.name, third.name] == ["model [2]", "model [3]"]
    with pytest.raises(InputError, match="given twice"):
        named_once(Scored("model", frame, entry, None), [first, other])


class TestFiles:
    def test_a_report_in_both_languages_holds_its_pictures_and_no_text_of_a_pair(self, pairs, here):
        done = workbench("compare", pairs, "-e", "use", "-o", "report.html", *FAST)
        assert done.exit_code == 0, done.output
        assert "report: report.html" in done.stdout
        page = (here / "report.html").read_text(encoding="utf-8")
        assert "编码器比较" in page
        assert "Encoders compared" in page
        assert page.count("data:image/png") == 4
        assert "<script" not in page
        assert "engineer wanted" not in page

    def test_figures_are_written_as_a_table(self, pairs, here):
        assert workbench("compare", pairs, "-e", "use", "-o", "figures.csv", *FAST).exit_code == 0
        table = pd.read_csv(here / "figures.csv")
        assert set(table["encoder"]) == {"use", "keyword"}
        assert {"value", "difference_low", "cutoff"} <= set(table.columns)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--out", "report.pdf"), "a report is an .html file"),
        (("--choose-by", "best"), "there are: f1, f2"),
        (("--choose-by", "f1", "--target-precision", "0.9"), "--target-precision or --choose-by"),
        (("--target-precision", "80"), "percent must be divided by 100"),
        (("--groups", "family"), "no column 'family'"),
        (("--instruction", "find"), "--instruction was given, but none of these encoders takes one"),
        (("--dimension", "4096"), "none of these encoders has so many dimensions"),
        (("--dimension", "0"), "--dimension is 0"),
        (("-e", "keyword"), "keyword was given twice"),
        (("-e", "nothing"), "No encoder is called 'nothing'"),
    ],
)
def test_what_cannot_be_compared_ends_with_2_and_a_sentence(pairs, arguments, said):
    done = workbench("compare", pairs, "-e", "keyword", *arguments, *FAST)
    assert done.exit_code == 2, done.output
    assert said in plain(done.stderr)


def test_one_encoder_alone_cannot_be_compared(pairs):
    done = workbench("compare", pairs, "-e", "keyword", *FAST)
    assert done.exit_code == 2
    assert "scores of 1 encoder" in done.stderr

"""``workbench pairs``: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score
from typer.testing import CliRunner, Result

from workbench.cli import app
from workbench.pairs import AnnotationLog, read_annotations, read_pairs, write_pairs

SKILLS = ("python", "nursing", "welding", "tax")


def workbench(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["pairs", *map(str, arguments)])


def plain(text: str) -> str:
    """Without the line breaks that a table's width makes."""
    return " ".join(text.split())


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def labelled(here) -> Path:
    """A set of 80 pairs with two annotators who differ on a tenth of them, and no adjudicator."""
    rng = np.random.default_rng(0)
    n = 80
    match = np.arange(n) % 2 == 0
    pairs = pd.DataFrame(
        {
            "pair_id": [f"p{i}" for i in range(n)],
            "jd": [f"{SKILLS[i // 20]} wanted, post {i % 20}" for i in range(n)],
            "resume": [f"{SKILLS[(i // 20 + (not match[i])) % 4]} for {i} months" for i in range(n)],
            "family": [SKILLS[i // 20] for i in range(n)],
        }
    )
    second = np.where(rng.random(n) < 0.1, ~match, match)
    said = pd.DataFrame(
        {
            "pair_id": [*pairs["pair_id"], *pairs["pair_id"]],
            "annotator": ["x"] * n + ["y"] * n,
            "label": [*match.astype(int), *second.astype(int)],
        }
    )
    return write_pairs(here / "set", pairs, said)


class TestAgreement:
    def test_shows_figures_of_the_whole_and_by_group(self, labelled):
        result = workbench("agreement", labelled, "--by", "family")
        assert result.exit_code == 0
        said = read_annotations(labelled)
        table = said.pivot_table(index="pair_id", columns="annotator", values="label").astype(int)
        kappa = cohen_kappa_score(table["x"], table["y"])
        assert f"{kappa:.3f}" in result.stdout
        assert all(skill in result.stdout for skill in SKILLS)

    def test_as_json_it_can_be_computed_with(self, labelled):
        found = json.loads(workbench("agreement", labelled, "--json").stdout)
        assert found["n_pairs"] == 80
        assert len(found["disagreements"]) == found["n_disagreements"] > 0
        assert found["noise"]["flip_rate"]["value"] > 0

    def test_one_annotator_alone_is_an_input_error(self, labelled):
        said = read_annotations(labelled)
        write_pairs(labelled, read_pairs(labelled, labelled=False), said[said["annotator"] == "x"])
        result = workbench("agreement", labelled)
        assert result.exit_code == 2
        assert "let a second person label" in result.stderr


class TestCheck:
    def test_a_usable_set_is_summed_up_and_what_was_left_out_is_said(self, labelled):
        result = workbench("check", labelled)
        assert result.exit_code == 0
        n = len(read_annotations(labelled).groupby("pair_id")["label"].nunique().loc[lambda x: x == 1])
        assert f"{n} pairs can be used" in result.stdout
        assert "dropped: disagreement not adjudicated" in result.stderr

    def test_every_problem_is_listed_with_its_place(self, here):
        (here / "bad.csv").write_text("jd,resume,label\na,,1\nb,c,7\n")
        result = workbench("check", here / "bad.csv")
        assert result.exit_code == 2
        assert "bad.csv, column resume, row 2: empty, where a text was expected" in plain(result.stderr)
        assert "column label, row 3: '7': not a label" in plain(result.stderr)

    def test_a_companys_export_is_checked_with_its_own_names(self, here):
        (here / "ats.csv").write_text("job,cv,fit\nNurse,Ward nurse,Good Fit\nNurse,Chef,No Fit\n")
        arguments = ["--column", "jd=job", "--column", "resume=cv", "--column", "label=fit"]
        asked = workbench("check", here / "ats.csv")
        assert "--column jd=NAME --column resume=NAME --column label=NAME" in plain(asked.stderr)
        asked = workbench("check", here / "ats.csv", *arguments)
        assert plain(asked.stderr) == (
            "Error: 1 problem in the labelled pairs; nothing was read. - ats.csv, column fit: holds 'Good "
            "Fit', 'No Fit': which are matches? E.g. --positive 'Good Fit' --negative 'No Fit'"
        )
        words = ["--positive", "Good Fit", "--negative", "No Fit"]
        found = json.loads(workbench("check", here / "ats.csv", *arguments, *words, "--json").stdout)
        assert (found["n_pairs"], found["n_matches"]) == (2, 1)


class TestPlanAndPropose:
    def test_the_plan_says_how_many_more(self, labelled):
        result = workbench("plan", labelled, "--cutoff", 0.05, "--encoder", "keyword")
        assert result.exit_code == 0
        assert "more labels above the cutoff are needed" in result.stdout

    def test_the_plan_says_what_wrong_labels_do_to_the_chance_of_a_cutoff(self, labelled):
        arguments = ("plan", labelled, "--cutoff", 0.05, "--encoder", "keyword", "--target-precision", 0.6)
        assert "5 % of labels" in workbench(*arguments).stdout
        chances = json.loads(workbench(*arguments, "--json").stdout)["chances"]
        assert {row["label_error"] for row in chances} == {0.0, 0.02, 0.05, 0.1}

    def test_a_batch_is_written_as_a_set_with_weights_and_without_scores(self, labelled, here):
        arguments = [
            "--cutoff",
            0.1,
            "-n",
            20,
            "--encoder",
            "keyword",
            "--by",
            "family",
            "--out",
            here / "batch",
        ]
        result = workbench("propose", labelled, *arguments)
        assert result.exit_code == 0, result.stderr
        assert "20 of 80 pairs written to" in plain(result.stdout)
        batch = read_pairs(here / "batch", labelled=False)
        assert len(batch) == 20
        assert (batch["weight"] * batch["inclusion_probability"]).to_numpy() == pytest.approx(np.ones(20))
        assert "score" not in batch.columns

    def test_what_was_labelled_in_the_batch_can_be_calibrated_with_its_weights(self, labelled, here):
        workbench("propose", labelled, "-c", 0.1, "-n", 20, "-e", "keyword", "-o", here / "batch")
        log = AnnotationLog(here / "batch", "x")
        for pair_id in read_pairs(here / "batch", labelled=False)["pair_id"]:
            log.append("label", pair_id, label=1)
        assert (read_pairs(here / "batch")["weight"] > 0).all()

    def test_a_folder_with_something_in_it_is_not_overwritten(self, labelled, here):
        result = workbench("propose", labelled, "-c", 0.1, "-e", "keyword", "-o", labelled)
        assert result.exit_code == 2
        assert "choose another folder, so that no labels are lost" in result.stderr


class TestExchange:
    @pytest.mark.parametrize("tool", ["label-studio", "argilla"])
    def test_what_was_exported_is_imported_again(self, labelled, here, tool):
        assert workbench("export", labelled, "--to", tool, "--out", here / "out.json").exit_code == 0
        result = workbench("import", here / "out.json", "--from", tool, "--out", here / "again")
        assert result.exit_code == 0
        assert "80 pairs with 160 labels" in result.stdout
        before, after = (read_pairs(folder, labelled=False) for folder in (labelled, here / "again"))
        assert before.to_dict("list") == after.to_dict("list")
        assert sorted(read_annotations(here / "again")["label"]) == sorted(
            read_annotations(labelled)["label"]
        )

    def test_pairs_alone_can_be_sent_to_be_labelled(self, labelled, here):
        workbench("export", labelled, "--to", "label-studio", "--out", here / "t.json", "--without-labels")
        tasks = json.loads((here / "t.json").read_text())
        assert {len(task["annotations"]) for task in tasks} == {0}

    def test_in_a_table_no_text_acts_as_a_formula(self, here):
        (here / "risky.csv").write_text('jd,resume,label\n"=HYPERLINK(""http://x"")",+1 year,1\nb,c,0\n')
        result = workbench("export", here / "risky.csv", "--to", "table", "--out", here / "safe.csv")
        assert result.exit_code == 0
        with (here / "safe.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert rows[0]["jd"].startswith("'=HYPERLINK")
        assert rows[0]["resume"] == "'+1 year"
        assert [row["label"] for row in rows] == ["1", "0"]

    def test_an_existing_set_is_not_overwritten_by_an_import(self, labelled, here):
        workbench("export", labelled, "--to", "argilla", "--out", here / "out.json")
        result = workbench("import", here / "out.json", "--from", "argilla", "--out", labelled)
        assert result.exit_code == 2
        assert "holds a set already" in result.stderr

    def test_the_interface_for_label_studio_is_printed_as_it_is(self):
        result = workbench("label-studio-interface")
        assert result.stdout.startswith("<View>")
        assert result.stdout.endswith("</View>\n")


class TestWholeDocuments:
    DEMO = Path(__file__).parents[2] / "labeled_pairs/documents"

    @pytest.mark.parametrize(
        ("options", "kappa"), [((), 0.936), (("--threshold", 2), 0.981), (("--level", "requirement"), 0.770)]
    )
    def test_agreement_is_what_the_datasheet_says(self, options, kappa):
        datasheet = plain((self.DEMO / "DATASHEET.md").read_text(encoding="utf-8"))
        found = json.loads(workbench("agreement", self.DEMO, *options, "--json").stdout)["kappa"]
        assert found["value"] == pytest.approx(kappa, abs=0.0005)
        assert f"kappa {kappa:.3f} ({found['low']:.3f}–{found['high']:.3f})" in datasheet

    def test_what_to_label_next_is_drawn_by_a_scorer_and_stays_whole(self, here):
        for side in ("jds", "resumes"):
            (here / "pool" / side).mkdir(parents=True)
            for skill in SKILLS:
                text = f"{skill} {side}\n" + f"We work with {skill} every day.\n" * 40
                (here / "pool" / side / f"{skill}.txt").write_text(text)
        arguments = ("-c", 0.1, "-n", 6, "--scorer", "keyword", "-o", "batch")
        result = workbench("propose", here / "pool", *arguments)
        assert result.exit_code == 0, result.output
        drawn = read_pairs(here / "batch", labelled=False)
        assert len(drawn) == 6
        assert drawn["resume"].str.len().min() > 1000
        assert drawn["inclusion_probability"].between(0, 1).all()

"""The bias audit: rates by hand with pandas, no one dropped, a page in both languages, a table."""

from __future__ import annotations

import hashlib
import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from workbench.calibration.audit import audit
from workbench.cli import app
from workbench.cutoffs import Cutoff
from workbench.decision_log import DecisionLog
from workbench.errors import InputError
from workbench.i18n import language
from workbench.reports.audit import audit_frame, audit_html, write_audit

CARD = Cutoff(0.5, "use", "f00d", {"guarantees": [{"figure": "precision", "target": 0.9, "cutoff": 0.5}]})


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    n = 1500
    race = rng.choice(
        ["White", "Black", "Asian", "Alaska Native", "Unknown"], n, p=[0.5, 0.25, 0.2, 0.01, 0.04]
    )
    frame = pd.DataFrame({"candidate_id": [f"c{i}" for i in range(n)], "race": race})
    frame["sex"] = rng.choice(["Male", "Female", ""], n, p=[0.5, 0.46, 0.04])
    return frame.assign(score=rng.beta(4, 4, n) - 0.05 * (race == "Black"))


@pytest.fixture(scope="module")
def found(people):
    return audit(people, CARD, ["sex", "race"], person="candidate_id")


def by_hand(people: pd.DataFrame, columns: list[str], at: float) -> pd.DataFrame:
    """Rates over rows with known categories, over the highest of categories of 2 % and more of all rows."""
    known = people[(people[columns] != "").all(axis=1) & (people[columns] != "Unknown").all(axis=1)]
    above = known.assign(above=known["score"] > at)
    rates = above.groupby(columns)["above"].agg(["size", "sum", "mean"])
    rates.index = rates.index.map(" / ".join) if len(columns) > 1 else rates.index
    large = rates["size"] >= 0.02 * len(people)
    rates["ratio"] = (rates["mean"] / rates.loc[large, "mean"].max()).where(large)
    return rates


class TestRates:
    @pytest.mark.parametrize("columns", [["sex"], ["race"], ["sex", "race"]])
    @pytest.mark.parametrize(("kind", "count"), [("selection", "selected"), ("scoring", "above_median")])
    def test_they_are_those_of_pandas_by_hand(self, people, found, columns, kind, count):
        at = 0.5 if kind == "selection" else people["score"].median()
        expected = by_hand(people, columns, at)
        rows = found.frame[(found.frame["by"] == " / ".join(columns)) & (found.frame["status"] != "unknown")]
        rows = rows.set_index("category").loc[expected.index]
        assert rows["n"].tolist() == expected["size"].tolist()
        assert rows[count].tolist() == expected["sum"].tolist()
        np.testing.assert_allclose(rows[f"{kind}_rate"], expected["mean"])
        np.testing.assert_allclose(rows[f"{kind}_ratio"], expected["ratio"])
        assert (rows["status"] == "excluded").tolist() == expected["ratio"].isna().tolist()

    def test_the_median_is_of_the_whole_sample_and_a_score_on_it_is_not_above(self):
        frame = pd.DataFrame({"score": [0.1, 0.3, 0.3, 0.9], "sex": ["a", "a", "b", ""]})
        found = audit(frame, 0.5, "sex")
        assert found.median == 0.3
        assert found.frame["above_median"].tolist()[:2] == [0, 0]

    def test_every_row_is_in_a_category_or_counted_as_unknown(self, people, found):
        assert found.frame.groupby("by")["n"].sum().tolist() == [len(people)] * 3
        unknown = found.frame[found.frame["status"] == "unknown"].set_index("by")["n"]
        assert unknown["sex"] == (people["sex"] == "").sum()
        assert unknown["race"] == (people["race"] == "Unknown").sum()

    def test_small_categories_can_be_kept(self, people):
        kept = audit(people, CARD, "race", smallest_share=0).frame
        assert not (kept["status"] == "excluded").any()

    def test_a_small_category_is_no_reference(self, people):
        some = people.assign(score=np.where(people["race"] == "Alaska Native", 0.99, people["score"]))
        rows = audit(some, CARD, "race").frame.set_index("category")
        assert rows.loc["Alaska Native", "selection_rate"] == 1
        assert rows["selection_ratio"].max() == 1
        assert np.isnan(rows.loc["Alaska Native", "selection_ratio"])

    def test_people_who_are_assessed_again_and_again_are_no_more_people(self, people):
        again = pd.concat([people] * 4)
        once = audit(people, CARD, "sex", person="candidate_id").frame
        repeated = audit(again, CARD, "sex", person="candidate_id")
        width = (once["selection_high"] - once["selection_low"]).iloc[0]
        wide = (repeated.frame["selection_high"] - repeated.frame["selection_low"]).iloc[0]
        assert wide >= 0.98 * width
        assert (repeated.n, repeated.n_people) == (4 * len(people), len(people))

    @pytest.mark.parametrize(
        ("change", "by", "said"),
        [
            ({"score": "high"}, "sex", "rows have no score, the first in row"),
            ({"sex": " "}, "sex", "No row has a known category of sex"),
            ({"sex": range(1500)}, "sex", "too many for categories"),
            ({}, "age", "no column 'age'"),
            ({}, [], "Name at least one column"),
        ],
    )
    def test_what_cannot_be_audited_is_refused(self, people, change, by, said):
        with pytest.raises(InputError, match=re.escape(said)):
            audit(people.assign(**change), CARD, by)


class TestPageAndTable:
    def test_the_page_names_card_data_and_every_category_in_both_languages(self, found):
        html = audit_html(found)
        for text in (CARD.to_dict()["digest"], "f00d", "0.5000", "Alaska Native", "Bias audit", "偏差审计"):
            assert text in html
        assert html.count("Female / Asian") >= 2

    def test_the_table_repeats_what_identifies_it_in_each_row(self, found):
        frame = audit_frame(found)
        assert len(frame) == len(found.frame)
        assert set(frame["card"]) == {CARD.to_dict()["digest"]}
        assert set(frame["cutoff"]) == {0.5}

    def test_a_category_is_neither_markup_nor_a_formula(self, people, tmp_path):
        bad = people.assign(sex=people["sex"].replace({"Male": "=1+1", "Female": "<b>x</b>"}))
        page, table = write_audit(audit(bad, CARD, "sex"), tmp_path / "audit.html")
        assert "<b>x</b>" not in page.read_text(encoding="utf-8")
        assert "'=1+1" in table.read_text(encoding="utf-8-sig")

    def test_only_html_is_a_page(self, found, tmp_path):
        with pytest.raises(InputError, match=r"\.html file, not audit\.csv"):
            write_audit(found, tmp_path / "audit.csv")

    def test_it_is_json(self, found):
        kept = json.loads(json.dumps(found.to_dict(), allow_nan=False))
        assert kept["cutoff"]["card"] == CARD.to_dict()["digest"]
        assert sum(row["n"] for row in kept["categories"] if row["by"] == "sex") == found.n

    def test_it_speaks_chinese(self, found):
        with language("zh"):
            assert "影响比" in found.summary() or "选中" in found.summary()


class TestCommand:
    @pytest.fixture
    def card(self, tmp_path):
        return str(CARD.save(tmp_path / "card.json"))

    def test_a_table_with_scores(self, card, people, tmp_path):
        table, page = tmp_path / "people.csv", tmp_path / "audit.html"
        people.to_csv(table, index=False)
        asked = ["audit", card, str(table), "--sex", "sex", "--race", "race", "--out", str(page), "--json"]
        told = json.loads(CliRunner().invoke(app, asked, catch_exceptions=False).stdout)
        assert told["data"]["sha256"] == hashlib.sha256(table.read_bytes()).hexdigest()
        assert told["n"] == told["n_people"] == len(people)
        assert page.exists()
        assert page.with_suffix(".csv").exists()
        assert "people.csv" in page.read_text(encoding="utf-8")

    def test_a_log_with_a_table_of_categories(self, card, people, tmp_path):
        log = DecisionLog(tmp_path / "log.jsonl")
        encoder = SimpleNamespace(name="use", fingerprint="f00d")
        for row in people.head(60).itertuples():
            log.record(CARD, encoder=encoder, jd_id="jd-1", resume_id=row.candidate_id, score=row.score)
        one = people.iloc[0]
        log.record(
            CARD,
            encoder=encoder,
            jd_id="jd-1",
            resume_id="c0",
            score=one.score,
            who="王芳",
            decision=not one.score > 0.5,
        )
        log.record(CARD, encoder=encoder, jd_id="jd-1", resume_id="stranger", score=0.5)
        log.record(Cutoff(0.1), encoder=encoder, jd_id="jd-1", resume_id="lower", score=0.2)
        table = tmp_path / "people.csv"
        people.drop(columns="score").to_csv(table, index=False)
        asked = ["audit", card, str(log.path), "--people", str(table), "--sex", "sex", "--json"]
        result = CliRunner().invoke(app, asked, catch_exceptions=False)
        told = json.loads(result.stdout)
        assert told["n"] == 62
        assert told["record"]["people"] == {"王芳": 1}
        assert (told["record"]["decided"], told["record"]["overruled"]) == (1, 1)
        assert told["record"]["elsewhere"] == 1
        assert "2 rows have a candidate who is not in people.csv" in result.stderr
        unknown = sum(row["n"] for row in told["categories"] if row["status"] == "unknown")
        assert unknown == 2 + (people.head(60)["sex"] == "").sum()

    def test_pairs_are_encoded_by_the_cards_encoder(self, tmp_path):
        from workbench.encoders import load_encoder

        use = load_encoder("use")
        card = Cutoff(0.3, use.name, use.fingerprint, dict(CARD.evidence)).save(tmp_path / "card.json")
        pairs = pd.DataFrame(
            {
                "jd": ["熟悉 RAG 架构设计"] * 4,
                "resume": ["搭建过文档问答系统", "护士", "RAG", "Java"],
                "sex": list("mfmf"),
            }
        )
        pairs.to_csv(tmp_path / "pairs.csv", index=False)
        asked = ["audit", str(card), str(tmp_path / "pairs.csv"), "--sex", "sex", "--json"]
        told = json.loads(CliRunner().invoke(app, asked, catch_exceptions=False).stdout)
        assert told["n"] == 4
        assert told["data"]["scores"] == "encoded"

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ([], "--sex, --race or --groups"),
            (["--sex", "sex", "--score", "x"], "Name the scores with --score"),
        ],
    )
    def test_what_is_missing_is_said(self, card, people, tmp_path, more, said):
        table = tmp_path / "people.csv"
        people.to_csv(table, index=False)
        refused = CliRunner().invoke(app, ["audit", card, str(table), *more])
        assert refused.exit_code == 2
        assert said in " ".join(refused.output.split())

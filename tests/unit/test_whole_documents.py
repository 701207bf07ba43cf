"""Whole documents in knowledge bases, search and the panel: nothing cut, and what carries a hit named."""

from __future__ import annotations

import sqlite3
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from character_encoder import CharacterEncoder

from workbench.cutoffs import Cutoff
from workbench.encoders.lookup import KNOWLEDGE_BASE_FILE
from workbench.errors import CleaningWarning, InputError, StoreError, UncalibratedCutoffWarning
from workbench.i18n import language
from workbench.pairs import score_pairs
from workbench.panels import SearchPanel
from workbench.panels.cards import hits_html
from workbench.panels.given import Given, read_upload
from workbench.retrieval import KnowledgeBase, search
from workbench.retrieval.parts import places_of
from workbench.scorers import CosineScorer
from workbench.text_encoder import whole_vectors
from workbench.texts import LONGEST_LINE

NURSE = "Night nurse\nRequirements\n- RN licence\n- ventilation of patients\nAbout us\nA ward by the sea"
CLERK = "Clerk\nRequirements\n- typing of letters\n- keeping of files\n- politeness"
RESUME = "Experience\n- ventilated patients for years\n- wrote letters\nSkills\n- RN licence since 2015"


@pytest.fixture
def encoder():
    return CharacterEncoder()


def unit(encoder, text):
    return encoder.encode_documents([text])[0].astype(float)


def parts(text):
    return [text[start:end] for start, end in places_of(text)]


class TestScores:
    """Expected values come from the encoder's vectors and the definition, with numpy."""

    def test_a_line_is_compared_with_each_part_of_a_document_and_the_best_counts(self, encoder):
        hit = search("ventilation", [CLERK, NURSE], encoder=encoder, cutoff=0.5)[0]
        expected = {text: float(unit(encoder, "ventilation") @ unit(encoder, text)) for text in parts(NURSE)}
        assert hit["index"] == 1
        assert hit["phrase"]["text"] == max(expected, key=expected.get) == "- ventilation of patients"
        assert hit["score"] == hit["phrase"]["score"] == pytest.approx(max(expected.values()), abs=1e-6)

    def test_a_whole_document_is_compared_with_whole_documents(self, encoder):
        hits = search(RESUME, [CLERK, NURSE], encoder=encoder, cutoff=0.5)
        expected = [float(unit(encoder, RESUME) @ unit(encoder, text)) for text in (CLERK, NURSE)]
        by_index = {hit["index"]: hit["score"] for hit in hits}
        assert [by_index[0], by_index[1]] == pytest.approx(expected, abs=1e-6)

    def test_of_a_whole_document_and_a_line_the_best_part_of_the_query_counts(self, encoder):
        hit = search(RESUME, ["RN licence"], encoder=encoder, cutoff=0.5)[0]
        expected = {text: float(unit(encoder, "RN licence") @ unit(encoder, text)) for text in parts(RESUME)}
        assert hit["phrase"]["query"] == max(expected, key=expected.get) == "- RN licence since 2015"
        assert hit["score"] == pytest.approx(max(expected.values()), abs=1e-6)

    def test_lines_score_the_same_beside_documents_as_without_them(self, encoder):
        lines = ["python", "java", "typhoon", "rust"]
        alone = {hit["text"]: hit["score"] for hit in search("pythons", lines, encoder=encoder, cutoff=0.5)}
        beside = search("pythons", [*lines, NURSE], k=5, encoder=encoder, cutoff=0.5)
        assert {hit["text"]: hit["score"] for hit in beside if hit["text"] in alone} == alone

    def test_nothing_of_a_text_is_cut_from_its_vector(self, encoder):
        text = "java " * 400 + "python"
        base = KnowledgeBase.from_texts([text], encoder)
        np.testing.assert_allclose(base.vectors[0], unit(encoder, text), atol=1e-6)
        assert search("python", base, cutoff=0.5)[0]["phrase"]["text"].endswith("python")

    def test_what_an_encoder_cannot_read_at_once_is_read_in_pieces(self):
        class Short(CharacterEncoder):
            recipe = {"encoder": "short", "max_length": 640}  # noqa: RUF012

        encoder, text = Short(), "x" * 576 + " " + "y" * 288
        (vector,) = whole_vectors(encoder.encode_documents, [text], encoder)
        pieces = encoder.encode_documents(["x" * 576, "y" * 288]).astype(float)
        expected = 576 * pieces[0] + 288 * pieces[1]
        np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-6)
        line = "z" * LONGEST_LINE
        whole = whole_vectors(encoder.encode_documents, [line], encoder)
        np.testing.assert_array_equal(whole, encoder.encode_documents([line]))

    def test_two_whole_documents_score_alike_wherever_they_are_scored(self):
        class Short(CharacterEncoder):
            recipe = {"encoder": "short", "max_length": 640}  # noqa: RUF012

        encoder, jd, resume = Short(), NURSE + "\n" + "ward " * 300, RESUME + "\n" + "patients " * 200
        jd, resume = jd.strip(), resume.strip()
        hit = search(resume, [jd], encoder=encoder, cutoff=0.5)[0]
        pairs = score_pairs(pd.DataFrame({"jd": [jd], "resume": [resume]}), encoder)
        matrix = CosineScorer(encoder).score([jd], [resume]).matrix
        assert [pairs["score"][0], matrix[0, 0]] == pytest.approx([hit["score"]] * 2, abs=1e-6)


class TestPhrases:
    def test_phrases_stand_where_they_are_said_to(self, encoder):
        for hit in search(RESUME, [NURSE, CLERK, "RN licence"], encoder=encoder, cutoff=0.5):
            phrase = hit["phrase"]
            assert hit["text"][phrase["start"] : phrase["end"]] == phrase["text"]
            assert RESUME[phrase["query_start"] : phrase["query_end"]] == phrase["query"]

    def test_of_what_a_jd_asks_for_the_least_covered_is_the_one_without_a_near_part(self, encoder):
        jd = "Nurse\nRequirements\n- RN licence\n- ventilation of patients\n- Dutch\nWe offer\n- xyz"
        (hit,) = search(jd, [RESUME], encoder=encoder, cutoff=0.5)
        near = {
            asked: max(float(unit(encoder, asked) @ unit(encoder, part)) for part in parts(RESUME))
            for asked in ("- RN licence", "- ventilation of patients", "- Dutch")
        }
        assert hit["phrase"]["least"] == min(near, key=near.get)
        assert "least" not in search("RN licence", [RESUME], encoder=encoder, cutoff=0.5)[0]["phrase"]

    def test_headings_and_what_is_about_the_company_carry_nothing(self, encoder):
        hit = search("A ward by the sea", [NURSE], encoder=encoder, cutoff=0.5)[0]
        assert hit["phrase"]["text"] in {"Night nurse", "- RN licence", "- ventilation of patients"}

    def test_of_a_line_the_phrase_is_all_of_it(self, encoder):
        phrase = search("rust", ["java", "rust"], encoder=encoder, cutoff=0.5)[0]["phrase"]
        assert (phrase["text"], phrase["start"], phrase["end"], phrase["query"]) == ("rust", 0, 4, "rust")

    def test_a_part_without_end_is_parted_into_lines_that_cover_it(self):
        text = "word " * 1000 + "\nend of it all"
        places = places_of(text)
        assert all(end - start <= LONGEST_LINE for start, end in places)
        assert all(text[one.end : other.start].strip() == "" for one, other in pairwise(places))
        assert (places[0].start, places[-1].end) == (0, len(text))


class TestJudging:
    CARD = {"pairs": {"n": 100, "reading": {"documents": 0}}}  # noqa: RUF012

    def test_a_cutoff_measured_on_lines_calls_no_document_a_match_and_says_why(self, encoder):
        card = Cutoff(0.1, encoder.name, encoder.fingerprint, self.CARD)
        with pytest.warns(UncalibratedCutoffWarning, match="does not carry over between text lengths"):
            hits = search("RN licence", [NURSE, "RN licence"], encoder=encoder, cutoff=card)
        assert {hit["text"]: hit["is_match"] for hit in hits} == {NURSE: None, "RN licence": True}

    def test_one_measured_on_documents_or_set_by_hand_judges_them(self, encoder):
        of_documents = {"pairs": {"n": 100, "reading": {"documents": 100}}}
        card = Cutoff(0.1, encoder.name, encoder.fingerprint, of_documents)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for cutoff in (card, 0.1):
                assert search("RN licence", [NURSE], encoder=encoder, cutoff=cutoff)[0]["is_match"] is True

    def test_the_literature_calls_no_document_a_match(self, encoder, tmp_path, monkeypatch):
        monkeypatch.setenv("WORKBENCH_PROJECT", str(tmp_path))
        with pytest.warns(UncalibratedCutoffWarning):
            assert search("RN licence", [NURSE], encoder=encoder)[0]["is_match"] is None


@pytest.fixture
def folder(tmp_path):
    """Two JDs, one of them in a folder below, a table, a broken file and an empty one."""
    jds = tmp_path / "jds"
    (jds / "wards").mkdir(parents=True)
    (jds / "clerk.txt").write_text(CLERK, encoding="utf-8")
    (jds / "wards" / "nurse.txt").write_text(NURSE, encoding="utf-8")
    (jds / "more.csv").write_text("text,city\njava,Bern\n", encoding="utf-8")
    (jds / "broken.docx").write_bytes(b"no document")
    (jds / "empty.txt").touch()
    return jds


class TestAdding:
    def test_of_a_folder_each_file_is_a_document_and_what_is_not_read_is_named(self, folder, encoder):
        base = KnowledgeBase.from_texts([], encoder)
        report = base.add_files(folder)
        assert dict(zip(base.metadata["source"], base.texts, strict=True)) == {
            "clerk.txt": CLERK,
            "more.csv": "java",
            "wards/nurse.txt": NURSE,
        }
        assert (report.n_input, report.added) == (3, 3)
        assert [each.source for each in report.unread] == ["broken.docx", "empty.txt"]
        assert "not read: broken.docx: " in str(report)

    def test_search_takes_the_folder_itself(self, folder, encoder):
        with pytest.warns(CleaningWarning, match=r"not read: broken\.docx"):
            hit = search("ventilation", folder, encoder=encoder, cutoff=0.5)[0]
        assert (hit["text"], hit["metadata"]["source"]) == (NURSE, "wards/nurse.txt")

    def test_a_text_file_whose_lines_are_a_list_is_one_text_a_line_or_what_is_said(self, tmp_path, encoder):
        (tmp_path / "list.txt").write_text("java\nrust\n", encoding="utf-8")
        base = KnowledgeBase.from_texts([], encoder)
        report = base.add_files(tmp_path / "list.txt")
        assert base.texts == ["java", "rust"]
        assert "understood as 2 documents, one a line" in str(report)
        base.add_files(tmp_path / "list.txt", how="one")
        assert base.texts[2:] == ["java\nrust"]

    @pytest.mark.parametrize("content", ["x" * 2_000_001, " ", "\x00\x00"], ids=["long", "blank", "NUL"])
    def test_what_is_no_text_or_more_than_a_document_is_counted_and_the_rest_added(
        self, tmp_path, encoder, content
    ):
        (tmp_path / "a.txt").write_text(content, encoding="utf-8")
        (tmp_path / "b.csv").write_text("text\nward\x01nurse\n", encoding="utf-8")
        base = KnowledgeBase.from_texts([], encoder)
        report = base.add_files(tmp_path)
        assert base.texts == ["ward nurse"]
        assert [each.source for each in report.unread] == ["a.txt"]

    def test_a_query_of_ten_megabytes_is_refused_in_a_sentence(self, encoder):
        with pytest.raises(InputError, match="The query: it has 10,000,000 characters"):
            search("x" * 10_000_000, ["java"], encoder=encoder)


class TestOnDisk:
    def test_opened_again_it_finds_the_same(self, tmp_path, encoder):
        base = KnowledgeBase.open(tmp_path / "kb", encoder)
        base.add(["java", NURSE])
        base.add([CLERK, "rust"])
        again = KnowledgeBase.open(tmp_path / "kb", encoder)
        for query in ("ventilation", RESUME):
            assert again.search(query, cutoff=0.5) == base.search(query, cutoff=0.5)

    def test_parts_go_with_their_document(self, tmp_path, encoder):
        base = KnowledgeBase.open(tmp_path / "kb", encoder)
        base.add([NURSE, "java", CLERK])
        base.remove(0)
        expected = search("typing", ["java", CLERK], encoder=encoder, cutoff=0.5)
        assert base.search("typing", cutoff=0.5) == expected
        assert expected[0]["phrase"]["text"] == "- typing of letters"
        with sqlite3.connect(tmp_path / "kb" / KNOWLEDGE_BASE_FILE) as connection:
            assert connection.execute("SELECT count(*) FROM parts").fetchone() == (1,)

    def test_encoded_again_the_parts_are_too(self, tmp_path, encoder):
        KnowledgeBase.open(tmp_path / "kb", encoder).add([NURSE])
        other = CharacterEncoder(revision=2)
        base = KnowledgeBase.open(tmp_path / "kb", other, reencode=True)
        found = base.search("ventilation", cutoff=0.5)
        assert found == search("ventilation", [NURSE], encoder=other, cutoff=0.5)

    def test_a_base_of_lines_is_as_older_ones_are(self, tmp_path, encoder):
        KnowledgeBase.open(tmp_path / "kb", encoder).add(["java", "rust"])
        with sqlite3.connect(tmp_path / "kb" / KNOWLEDGE_BASE_FILE) as connection:
            connection.execute("DROP TABLE IF EXISTS parts")
        again = KnowledgeBase.open(tmp_path / "kb", encoder)
        again.add([NURSE])
        assert again.search("ventilation", k=1, cutoff=0.5)[0]["text"] == NURSE

    def test_damaged_parts_are_said_to_be(self, tmp_path, encoder):
        KnowledgeBase.open(tmp_path / "kb", encoder).add([NURSE])
        with sqlite3.connect(tmp_path / "kb" / KNOWLEDGE_BASE_FILE) as connection:
            connection.execute("UPDATE parts SET vectors = zeroblob(length(vectors))")
        with pytest.raises(StoreError, match="is damaged: its parts of documents cannot be read"):
            KnowledgeBase.open(tmp_path / "kb", encoder)


class TestShown:
    @pytest.fixture
    def hits(self, encoder):
        return search("<b>RN</b> licence", [NURSE.replace("RN", "<b>RN</b>")], encoder=encoder, cutoff=0.9)

    def test_the_phrase_is_marked_in_the_folded_text_and_all_is_escaped(self, hits):
        html = hits_html(hits, 0.9)
        assert html.count("<mark>- &lt;b&gt;RN&lt;/b&gt; licence</mark>") == 2
        assert "<details" in html
        assert "A ward by the sea" in html
        assert "<b>RN" not in html

    def test_what_is_not_judged_is_neither_a_match_nor_below(self, hits):
        html = hits_html([{**hits[0], "is_match": None}], 0.9)
        assert "not judged" in html
        assert not any(word in html for word in ("✓ match", "— below"))

    def test_the_part_of_the_query_is_shown_where_the_query_has_parts(self, encoder):
        hits = search(RESUME, [NURSE, CLERK], encoder=encoder, cutoff=0.5)
        assert f"for “{hits[0]['phrase']['query']}”" in hits_html(hits, 0.5)
        assert "for “" not in hits_html(search("rust", [NURSE], encoder=encoder, cutoff=0.5), 0.5)

    def test_frames_have_the_phrase_and_its_place(self, encoder):
        panel = SearchPanel([NURSE, CLERK], "ventilation", encoder=encoder, cutoff=0.5)
        panel.search()
        row = panel.frame.iloc[0]
        assert row["text"][row["phrase_start"] : row["phrase_end"]] == "- ventilation of patients"
        assert row["phrase"] == "- ventilation of patients"


class TestPasted:
    @pytest.fixture
    def panel(self, encoder):
        return SearchPanel("", "licence", encoder=encoder, cutoff=0.5, language="en")

    def test_a_jd_with_blank_lines_stays_one_text(self, panel):
        panel.widgets.texts.value = NURSE.replace("\n", "\n\n")
        assert "understood as 1 document" in panel.widgets.understood.value
        assert [hit["text"] for hit in panel.search()] == [NURSE.replace("\n", "\n\n")]

    def test_what_it_is_understood_as_is_shown_and_changed_by_one_click_without_loss(self, panel):
        text = f"{NURSE}\n\n---\n\n{CLERK}"
        panel.widgets.texts.value = text
        assert "understood as 2 documents, one a block" in panel.widgets.understood.value
        assert panel.widgets.how.value == "blocks"
        panel.widgets.how.value = "lines"
        assert "understood as 12 documents, one a line" in panel.widgets.understood.value
        panel.widgets.how.value = "one"
        panel.widgets.how.value = "blocks"
        assert panel.widgets.texts.value == text
        assert {hit["text"] for hit in panel.search()} == {NURSE, CLERK}

    def test_another_text_is_understood_anew_and_an_edited_one_stays_what_it_is(self):
        given = Given("java\nrust\nsql", "one")
        assert given.edited("java\nrust\nsql\ngo").how == "one"
        assert given.edited(NURSE).how is None

    def test_a_whole_document_is_added_from_a_file_shown_and_taken_away_again(self, panel, tmp_path):
        (tmp_path / "nurse.txt").write_text(NURSE, encoding="utf-8")
        panel.given = panel.given.with_upload(read_upload(tmp_path / "nurse.txt"))
        panel.relabelled()
        (button,) = panel.widgets.files.children
        assert button.description == f"nurse.txt: {len(NURSE)} characters"
        assert panel.search()[0]["metadata"] == {"source": "nurse.txt"}
        button.click()
        assert not panel.given.documents

    def test_a_cutoff_of_lines_is_said_not_to_hold_and_one_set_by_hand_does(self, encoder):
        card = Cutoff(0.3, encoder.name, encoder.fingerprint, TestJudging.CARD)
        panel = SearchPanel([NURSE], "RN licence", encoder=encoder, cutoff=card, language="en")
        assert [hit["is_match"] for hit in panel.search()] == [None]
        assert "does not carry over between text lengths" in panel.widgets.status.value
        panel.widgets.cutoff.value = 0.2
        assert [hit["is_match"] for hit in panel.hits] == [True]
        assert "does not carry over" not in panel.widgets.status.value

    def test_it_is_said_in_chinese(self, encoder):
        with language("zh"):
            assert Given(NURSE, "lines").sentence() == "理解为 6 篇文档，一行一篇"

"""To Label Studio and Argilla and back: nothing is lost that their formats can hold, nothing is misread."""

from __future__ import annotations

import json
import uuid
import xml.etree.ElementTree as ET
from typing import ClassVar

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.pairs import (
    PairsError,
    argilla_users,
    label_studio_config,
    read_argilla,
    read_label_studio,
    to_argilla,
    to_label_studio,
    write_argilla,
    write_label_studio,
    write_pairs,
)
from workbench.texts import says_missing, tidy


def is_text(text: str) -> bool:
    return bool(text) and not says_missing(text)


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).map(tidy).filter(is_text)
names = st.sampled_from(["x", "王芳", "anna@example.com", "adjudicator"])


@st.composite
def sets(draw):
    rows = draw(st.lists(st.tuples(texts, texts), min_size=1, max_size=6, unique=True))
    pairs = pd.DataFrame(rows, columns=["jd", "resume"], dtype="str")
    pairs.insert(0, "pair_id", [f"p{i}" for i in range(len(rows))])
    pairs["family"] = draw(st.lists(texts, min_size=len(rows), max_size=len(rows)))
    top = draw(st.sampled_from([1, 3]))
    labels = draw(
        st.dictionaries(
            st.tuples(st.sampled_from(pairs["pair_id"].tolist()), names),
            st.tuples(st.integers(0, top), texts | st.just("")),
        )
    )
    said = [(pair, who, label, "2026-03-01T09:00:00Z", note) for (pair, who), (label, note) in labels.items()]
    columns = ["pair_id", "annotator", "label", "labelled_at", "note"]
    return pairs, pd.DataFrame(said, columns=columns).astype({"label": "int64"})


def in_order(annotations: pd.DataFrame) -> list[dict]:
    return annotations.sort_values(["pair_id", "annotator"]).to_dict("records")


@pytest.mark.slow
@settings(max_examples=40)
@given(sets())
def test_label_studio_gives_back_what_it_got(tmp_path_factory, case):
    pairs, annotations = case
    path = write_label_studio(tmp_path_factory.mktemp("ls") / "tasks.json", pairs, annotations)
    found = read_label_studio(path)
    assert found.pairs.to_dict("list") == pairs.to_dict("list")
    assert in_order(found.annotations) == in_order(annotations)


@pytest.mark.slow
@settings(max_examples=40)
@given(sets())
def test_argilla_gives_back_what_it_got_but_the_times(tmp_path_factory, case):
    pairs, annotations = case
    path = write_argilla(tmp_path_factory.mktemp("argilla") / "records.json", pairs, annotations)
    found = read_argilla(path, users=argilla_users(annotations["annotator"]))
    assert found.pairs.to_dict("list") == pairs.to_dict("list")
    assert in_order(found.annotations) == in_order(annotations.assign(labelled_at=""))


PAIRS = pd.DataFrame(
    {
        "pair_id": ["a", "b"],
        "jd": ["Nurse", "Java"],
        "resume": ["Ward nurse", "JavaScript"],
        "score": [0.9, 0.4],
    }
)
SAID = pd.DataFrame(
    {"pair_id": ["a", "b"], "annotator": ["x", "anna@example.com"], "label": [1, 0], "note": ["", "no"]}
)


class TestLabelStudio:
    def test_a_task_holds_the_texts_and_no_score(self):
        task = to_label_studio(PAIRS, SAID)[0]
        assert task["data"] == {"pair_id": "a", "jd": "Nurse", "resume": "Ward nurse"}

    def test_results_are_of_controls_that_the_interface_has(self):
        root = ET.fromstring(label_studio_config())
        controls = {
            control.get("name"): (control.tag.lower(), control.get("toName"))
            for control in root.iter()
            if control.get("toName")
        }
        shown = {element.get("name"): element.get("value") for element in root.iter("Text")}
        assert shown == {"jd": "$jd", "resume": "$resume"}
        results = [
            r for task in to_label_studio(PAIRS, SAID) for a in task["annotations"] for r in a["result"]
        ]
        assert len(results) == 5
        assert all(controls[r["from_name"]] == (r["type"], r["to_name"]) for r in results)
        words = {choice.get("value") for choice in root.iter("Choice")}
        assert {w for r in results if r["type"] == "choices" for w in r["value"]["choices"]} <= words

    def test_grades_have_four_choices(self):
        root = ET.fromstring(label_studio_config(grades=True))
        assert [choice.get("value") for choice in root.iter("Choice")] == ["0", "1", "2", "3"]

    def test_only_an_email_address_is_given_as_a_user_whom_label_studio_must_know(self):
        first, second = (task["annotations"][0] for task in to_label_studio(PAIRS, SAID))
        assert "completed_by" not in first
        assert second["completed_by"] == {"email": "anna@example.com"}

    # As Label Studio's documentation shows an exported task, with choices.
    EXPORTED = json.loads(
        """
        [{"id": 1, "created_at": "2021-03-09T21:52:49.513742Z", "updated_at": "2021-03-09T22:16:08.746926Z",
          "project": 83,
          "data": {"requirement": "三甲医院病房护士", "candidate": "五年病房护理经验"},
          "annotations": [
            {"id": 1001, "result": [
                {"from_name": "fit", "id": "Dx_aB91ISN", "to_name": "text", "type": "choices",
                 "origin": "manual", "value": {"choices": ["Good Fit"]}}],
             "was_cancelled": false, "ground_truth": false, "created_at": "2021-03-09T22:16:08.728353Z",
             "updated_at": "2021-03-09T22:16:08.728378Z", "lead_time": 4.288, "task": 1, "completed_by": 10},
            {"id": 1002, "result": [], "was_cancelled": true, "completed_by": 11},
            {"id": 1003, "result": [
                {"from_name": "fit", "to_name": "text", "type": "choices", "value": {"choices": ["No Fit"]}}],
             "was_cancelled": false,
             "completed_by": {"id": 12, "email": "li@example.com", "first_name": "", "last_name": ""}}],
          "predictions": []}]
        """
    )
    COLUMNS: ClassVar = {"jd": "requirement", "resume": "candidate"}

    def test_an_export_of_another_project_is_read_with_names_and_words_mapped(self):
        found = read_label_studio(
            self.EXPORTED, columns=self.COLUMNS, positive=["Good Fit"], negative="No Fit"
        )
        assert found.pairs[["jd", "resume"]].to_dict("records") == [
            {"jd": "三甲医院病房护士", "resume": "五年病房护理经验"}
        ]
        assert found.annotations[["annotator", "label", "labelled_at"]].to_dict("records") == [
            {"annotator": "user-10", "label": 1, "labelled_at": "2021-03-09T22:16:08.728378Z"},
            {"annotator": "li@example.com", "label": 0, "labelled_at": ""},
        ]
        assert found.n_skipped == 1

    def test_what_was_read_can_be_written_as_a_set(self, tmp_path):
        found = read_label_studio(
            self.EXPORTED, columns=self.COLUMNS, positive=["Good Fit"], negative="No Fit"
        )
        assert (write_pairs(tmp_path, found.pairs, found.annotations) / "annotations.csv").is_file()

    def test_words_without_a_mapping_are_one_question(self):
        with pytest.raises(PairsError) as raised:
            read_label_studio(self.EXPORTED, columns=self.COLUMNS)
        assert [(p.column, p.rows) for p in raised.value.problems] == [("label", ())]
        assert "'Good Fit', 'No Fit': which are matches? E.g. positive='Good Fit'" in str(raised.value)

    def test_unknown_data_names_are_refused_with_those_that_are_there(self):
        with pytest.raises(
            InputError, match=r"task 1 has no field 'jd', 'resume'; it has .*requirement, candidate"
        ):
            read_label_studio(self.EXPORTED)

    def test_the_short_export_is_refused_with_advice(self):
        with pytest.raises(InputError, match="as JSON, not JSON-MIN or CSV"):
            read_label_studio([{"jd": "a", "resume": "b", "label": "match"}])

    def test_two_choices_of_one_person_are_no_label(self):
        tasks = to_label_studio(PAIRS, SAID)
        tasks[0]["annotations"][0]["result"][0]["value"]["choices"] = ["match", "no match"]
        with pytest.raises(PairsError, match="'match, no match': not a label"):
            read_label_studio(tasks)

    def test_one_person_with_two_answers_is_a_contradiction(self):
        tasks = to_label_studio(PAIRS, SAID)
        again = json.loads(json.dumps(tasks[0]["annotations"][0]))
        again["result"][0]["value"]["choices"] = ["no match"]
        tasks[0]["annotations"].append(again)
        with pytest.raises(PairsError, match="more than one label by the same annotator: a by x"):
            read_label_studio(tasks)

    def test_a_rating_is_a_grade(self):
        tasks = [
            {
                "data": {"jd": "a", "resume": "b"},
                "annotations": [
                    {
                        "completed_by": 1,
                        "result": [{"from_name": "r", "type": "rating", "value": {"rating": 3}}],
                    }
                ],
            }
        ]
        assert read_label_studio(tasks).annotations["label"].tolist() == [3]


class TestArgilla:
    def test_a_record_is_as_argilla_writes_it(self):
        record = to_argilla(PAIRS.assign(family="care"), SAID)[1]
        assert set(record) == {"id", "fields", "metadata", "suggestions", "responses", "vectors"}
        assert record["fields"] == {"jd": "Java", "resume": "JavaScript"}
        assert record["metadata"] == {"family": "care"}
        (answer,) = record["responses"]["label"]
        assert answer["value"] == "no match"
        assert uuid.UUID(answer["user_id"])

    def test_users_of_ones_own_server_are_given_and_read(self):
        users = {"x": str(uuid.uuid4()), "anna@example.com": str(uuid.uuid4())}
        records = to_argilla(PAIRS, SAID, users=users)
        assert records[0]["responses"]["label"][0]["user_id"] == users["x"]
        assert read_argilla(records, users=users).annotations["annotator"].tolist() == [
            "x",
            "anna@example.com",
        ]
        assert read_argilla(records).annotations["annotator"][0] == f"user-{users['x'].split('-')[0]}"

    def test_drafts_and_discarded_answers_do_not_count(self):
        records = to_argilla(PAIRS, SAID)
        records[0]["responses"]["label"][0]["status"] = "discarded"
        found = read_argilla(records)
        assert found.annotations["pair_id"].tolist() == ["b"]
        assert found.n_skipped == 1

    def test_another_question_and_other_fields(self):
        records = [
            {
                "id": "r1",
                "fields": {"job": "Nurse", "cv": "Ward nurse"},
                "responses": {"fit": [{"value": "yes", "user_id": "u"}]},
            }
        ]
        found = read_argilla(records, columns={"jd": "job", "resume": "cv"}, label="fit", positive="yes")
        assert found.annotations["label"].tolist() == [1]
        assert found.pairs["jd"].tolist() == ["Nurse"]

    def test_no_records_are_refused(self):
        with pytest.raises(InputError, match="record 1 has no 'fields'"):
            read_argilla([{"text": "a"}])
        with pytest.raises(InputError, match="has no records"):
            read_argilla([])


class TestFiles:
    def test_a_file_that_is_no_list_is_refused(self, tmp_path):
        path = tmp_path / "x.json"
        path.write_text('{"a": 1}')
        with pytest.raises(InputError, match=r"x\.json holds a dict; a list"):
            read_label_studio(path)

    def test_a_file_that_is_no_json_is_refused(self, tmp_path):
        path = tmp_path / "x.json"
        path.write_text("[1,")
        with pytest.raises(InputError, match=r"x\.json is not JSON"):
            read_argilla(path)

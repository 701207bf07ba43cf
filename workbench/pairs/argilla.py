"""Records as Argilla 2 keeps them, in and out: ``fields``, ``metadata``, ``responses`` by question and user.

Format: what ``rg.Record.to_dict`` and ``dataset.records.to_json`` write
(https://docs.argilla.io/latest/reference/argilla/records/records/).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.atomic import write_whole
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.pairs.resolution import without_repeats
from workbench.pairs.writing import Gathered, LabelledSet, label_word, masked_sides, records_in
from workbench.texts import kind_of

if TYPE_CHECKING:
    import pandas as pd

LABEL, NOTE = "label", "note"
# Argilla knows users by a UUID; one that depends on the name alone can be found again.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "jd-resume-workbench/annotator")


def write_argilla(
    path: str | Path,
    pairs: pd.DataFrame,
    annotations: pd.DataFrame | None = None,
    *,
    users: Mapping[str, str] | None = None,
) -> Path:
    """Write pairs, and labels if given, as a JSON file of records; parameters as of :func:`to_argilla`.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    records = to_argilla(masked_sides(pairs), annotations, users=users)
    return write_whole(path, json.dumps(records, ensure_ascii=False, indent=1) + "\n")


def argilla_users(annotators: Iterable[str]) -> dict[str, str]:
    """The ``user_id`` that :func:`to_argilla` gives to each name; the other way round it reads them."""
    return {name: str(uuid.uuid5(_NAMESPACE, name)) for name in annotators}


def to_argilla(
    pairs: pd.DataFrame,
    annotations: pd.DataFrame | None = None,
    *,
    users: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Records for ``rg.Record.from_dict``.

    Parameters
    ----------
    pairs : DataFrame
        ``pair_id, jd, resume``; groups become metadata. Scores and labels are left out, so that people
        stay blind.
    annotations : DataFrame, optional
        ``pair_id, annotator, label`` and perhaps ``note``: responses to the questions ``label`` (match or
        no match, or a grade) and ``note``. Argilla keeps no time for them.
    users : mapping, optional
        ``user_id`` of each annotator; by default that of :func:`argilla_users`.

    Returns
    -------
    list of dict
    """
    said: dict[str, dict[str, list[dict[str, Any]]]] = {}
    if annotations is not None:
        checked = without_repeats(annotations)
        ids = argilla_users(checked["annotator"].unique()) | dict(users or {})
        grades = bool(len(checked)) and int(checked["label"].max()) > 1
        for row in checked.to_dict("records"):
            responses = said.setdefault(str(row["pair_id"]), {})
            user = {"user_id": ids[row["annotator"]]}
            word = label_word(int(row["label"]), grades=grades)
            responses.setdefault(LABEL, []).append({"value": word, **user})
            if row.get("note"):
                responses.setdefault(NOTE, []).append({"value": row["note"], **user})
    hidden = ("pair_id", "jd", "resume", "score", "label", "weight", "inclusion_probability")
    return [
        {
            "id": str(row["pair_id"]),
            "fields": {"jd": row["jd"], "resume": row["resume"]},
            "metadata": {str(name): value for name, value in row.items() if name not in hidden},
            "suggestions": {},
            "responses": said.get(str(row["pair_id"]), {}),
            "vectors": {},
        }
        for row in pairs.to_dict("records")
    ]


def read_argilla(
    records: str | Path | Sequence[Mapping[str, Any]],
    *,
    columns: Mapping[str, str] | None = None,
    positive: str | Collection[str] | None = None,
    negative: str | Collection[str] | None = None,
    label: str = LABEL,
    users: Mapping[str, str] | None = None,
) -> LabelledSet:
    """Pairs and labels from Argilla's records.

    Parameters
    ----------
    records : str, Path or sequence of mapping
        What ``to_dict`` of each record gives, or a JSON file of them.
    columns : mapping, optional
        ``{"jd": …, "resume": …}``: names of the fields, where they are others.
    positive, negative : str or collection of str, optional
        Answers that mean a match, and none; by default ``match`` and ``no match``, or the numbers.
    label : str
        The question whose answers are the labels.
    users : mapping, optional
        Name of each annotator: ``{"王芳": user_id}``, as of :func:`argilla_users`. Who is not in it is
        called ``user-`` and the first part of the ``user_id``.

    Returns
    -------
    LabelledSet
        Responses that are drafts or discarded, where records say so, do not count.

    Raises
    ------
    PairsError
        If texts or labels cannot be used; rows are positions of records, from 1.
    InputError
        If these are no records.
    """
    found, file = records_in(records, "records")
    names = {"jd": "jd", "resume": "resume"} | dict(columns or {})
    known = {str(user_id): name for name, user_id in (users or {}).items()}
    taken = Gathered(file)
    for number, record in enumerate(found, start=1):
        fields = record.get("fields") if isinstance(record, Mapping) else None
        if not isinstance(fields, Mapping):
            raise InputError(
                _("{file}, record {number} has no 'fields'; export records with to_json or to_dict.").format(
                    file=file, number=number
                )
            )
        where = _("{file}, record {number}").format(file=file, number=number)
        told = record.get("metadata")
        metadata = {str(name): value for name, value in (told if isinstance(told, Mapping) else {}).items()}
        pair_id = taken.pair(where, fields, names, number, pair_id=record.get("id"), groups=metadata)
        answers = _answers(record.get("responses") or ())
        notes = {answer.user: answer.value for answer in answers if answer.question == NOTE}
        for answer in answers:
            if answer.question is None:
                entry = kind_of(answer.value)
                taken.unreadable.append(_("record {number}: {entry}").format(number=number, entry=entry))
            elif answer.question == label and answer.status not in ("submitted", None):
                taken.n_skipped += 1
            elif answer.question == label:
                taken.annotations.append(
                    {
                        "pair_id": pair_id,
                        "annotator": known.get(answer.user, f"user-{answer.user.split('-')[0]}"),
                        "label": answer.value,
                        "labelled_at": "",
                        "note": notes.get(answer.user, ""),
                        "row": number,
                    }
                )
    return taken.checked(positive, negative)


class _Answer(NamedTuple):
    """One user's answer to one question; `question` is None for what is no answer."""

    question: str | None
    user: str
    value: Any
    status: Any = "submitted"


def _answers(responses: Any) -> list[_Answer]:
    """All answers of a record: by question as Argilla 2 writes them, or by user as its datasets have them."""
    found = []
    if isinstance(responses, Mapping):
        for question, said in responses.items():
            for answer in said if isinstance(said, list | tuple) else [said]:
                found.append(_answer(str(question), answer, answer))
        return found
    for response in responses if isinstance(responses, list | tuple) else [responses]:
        values = response.get("values") if isinstance(response, Mapping) else None
        if not isinstance(values, Mapping):
            found.append(_Answer(None, "", response))
            continue
        found += [_answer(str(question), answer, response) for question, answer in values.items()]
    return found


def _answer(question: str, answer: Any, response: Any) -> _Answer:
    if not isinstance(answer, Mapping):
        return _Answer(None, "", answer)
    return _Answer(
        question, str(response.get("user_id")), answer.get("value", ""), response.get("status", "submitted")
    )

"""Label Studio's JSON: tasks with annotations, in and out, and the labelling interface that fits them.

Format: https://labelstud.io/guide/task_format (the raw JSON of annotated tasks, export type "JSON").
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.atomic import write_whole
from workbench.errors import InputError
from workbench.html import render
from workbench.i18n import gettext as _
from workbench.pairs.checks import GRADES
from workbench.pairs.resolution import without_repeats
from workbench.pairs.writing import Gathered, LabelledSet, label_word, masked_sides, records_in
from workbench.texts import kind_of

if TYPE_CHECKING:
    import pandas as pd

LABEL, NOTE, ANNOTATOR, SHOWN = "label", "note", "annotator", "resume"


def write_label_studio(
    path: str | Path, pairs: pd.DataFrame, annotations: pd.DataFrame | None = None
) -> Path:
    """Write pairs, and labels if given, as a JSON file that Label Studio imports.

    Parameters are as of :func:`to_label_studio`.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    tasks = to_label_studio(masked_sides(pairs), annotations)
    return write_whole(path, json.dumps(tasks, ensure_ascii=False, indent=1) + "\n")


def to_label_studio(pairs: pd.DataFrame, annotations: pd.DataFrame | None = None) -> list[dict[str, Any]]:
    """Tasks for Label Studio.

    Parameters
    ----------
    pairs : DataFrame
        ``pair_id, jd, resume`` and groups, which become the task's data. Scores and labels are left out,
        so that people stay blind.
    annotations : DataFrame, optional
        ``pair_id, annotator, label`` and perhaps ``labelled_at, note``. Who labelled is kept in a text
        control of its own, because Label Studio knows its own users only: a name that is an e-mail
        address is also given as ``completed_by``, and must then be that of a user there.

    Returns
    -------
    list of dict
        For the interface of :func:`label_studio_config`.
    """
    data = pairs.drop(columns=["score", "label", "weight", "inclusion_probability"], errors="ignore")
    said: dict[str, list[dict[str, Any]]] = {}
    if annotations is not None:
        checked = without_repeats(annotations)
        grades = bool(len(checked)) and int(checked["label"].max()) > 1
        for row in checked.to_dict("records"):
            said.setdefault(str(row["pair_id"]), []).append(_annotation(row, grades=grades))
    return [
        {
            "data": {str(name): value for name, value in row.items()},
            "annotations": said.get(str(row["pair_id"]), []),
        }
        for row in data.to_dict("records")
    ]


def read_label_studio(
    tasks: str | Path | Sequence[Mapping[str, Any]],
    *,
    columns: Mapping[str, str] | None = None,
    positive: str | Collection[str] | None = None,
    negative: str | Collection[str] | None = None,
    label: str = LABEL,
) -> LabelledSet:
    """Pairs and labels from Label Studio's tasks.

    Parameters
    ----------
    tasks : str, Path or sequence of mapping
        What was exported in the format "JSON": the file, or what is in it.
    columns : mapping, optional
        ``{"jd": …, "resume": …, "pair_id": …}``: names in the task's data, where they are others.
    positive, negative : str or collection of str, optional
        Choices that mean a match, and none; by default ``match`` and ``no match``, or the numbers.
    label : str
        Name of the control with the label: choices, or a rating. If there is one of these only, it is
        taken whatever its name.

    Returns
    -------
    LabelledSet
        Annotators have the name that our export gave, else the e-mail address, else ``user-ID``.

    Raises
    ------
    PairsError
        If texts or labels cannot be used; rows are positions of tasks, from 1.
    InputError
        If these are no tasks.
    """
    found, file = records_in(tasks, "tasks")
    names = {name: name for name in ("pair_id", "jd", "resume")} | dict(columns or {})
    taken = Gathered(file)
    for number, task in enumerate(found, start=1):
        data = task.get("data") if isinstance(task, Mapping) else None
        if not isinstance(data, Mapping):
            raise InputError(
                _(
                    "{file}, task {number} has no 'data'; export from Label Studio as JSON, not JSON-MIN or "
                    "CSV."
                ).format(file=file, number=number)
            )
        where = _("{file}, task {number}").format(file=file, number=number)
        groups = {str(name): value for name, value in data.items() if name not in names.values()}
        pair_id = taken.pair(where, data, names, number, pair_id=data.get(names["pair_id"]), groups=groups)
        for answer in _answers(task):
            if not isinstance(answer, Mapping):
                entry = kind_of(answer)
                taken.unreadable.append(_("task {number}: {entry}").format(number=number, entry=entry))
                continue
            said = None if answer.get("was_cancelled") else _said(answer, label)
            if said is None:
                taken.n_skipped += 1
            else:
                taken.annotations.append({**said, "pair_id": pair_id, "row": number})
    return taken.checked(positive, negative)


def label_studio_config(*, grades: bool = False) -> str:
    """The labelling interface for such tasks: paste it in Label Studio under Settings, Labeling Interface.

    Parameters
    ----------
    grades : bool
        Grades from 0 to 3 instead of match and no match.
    """
    labels = GRADES if grades else (1, 0)
    choices = {number: label_word(number, grades=grades) for number in labels}
    interface = render(
        "pairs/label_studio.html", shown=SHOWN, label=LABEL, note=NOTE, annotator=ANNOTATOR, choices=choices
    )
    return f"{interface}\n"


def _answers(task: Mapping[str, Any]) -> Sequence[Any]:
    """The annotations of a task, which before Label Studio 1.0 were called completions."""
    found = task.get("annotations") or task.get("completions") or ()
    return found if isinstance(found, list | tuple) else [found]


def _annotation(row: Mapping[Any, Any], *, grades: bool) -> dict[str, Any]:
    name = str(row["annotator"])
    result = [
        _result(LABEL, "choices", {"choices": [label_word(int(row["label"]), grades=grades)]}),
        _result(ANNOTATOR, "textarea", {"text": [name]}),
    ]
    if row.get("note"):
        result.append(_result(NOTE, "textarea", {"text": [row["note"]]}))
    found: dict[str, Any] = {"result": result, "was_cancelled": False, "ground_truth": False}
    if "@" in name:
        found["completed_by"] = {"email": name}
    if row.get("labelled_at"):
        found["created_at"] = row["labelled_at"]
    return found


def _result(control: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"from_name": control, "to_name": SHOWN, "type": kind, "value": value}


def _said(answer: Mapping[str, Any], label: str) -> dict[str, Any] | None:
    """Label, note, annotator and time of one annotation; None where nothing was chosen."""
    found = answer.get("result")
    results = [
        dict(each) for each in (found if isinstance(found, list | tuple) else ()) if isinstance(each, Mapping)
    ]
    for each in results:
        each["from_name"] = str(each.get("from_name"))
        each["value"] = each["value"] if isinstance(each.get("value"), Mapping) else {}
    choices = [result for result in results if result.get("type") in ("choices", "rating")]
    named = [result for result in choices if result.get("from_name") == label]
    controls = {result.get("from_name") for result in choices}
    chosen = named or (choices if len(controls) == 1 else [])
    if not chosen:
        return None
    value = chosen[-1]["value"]
    picked = value.get("choices") or value.get("rating")
    texts = {
        result["from_name"]: _joined(result["value"].get("text"))
        for result in results
        if result.get("type") == "textarea"
    }
    return {
        # Several choices are no label; the check names them with their task.
        "label": _joined(picked, ", "),
        "note": texts.get(NOTE, ""),
        "annotator": texts.get(ANNOTATOR) or _user(answer.get("completed_by")),
        "labelled_at": answer.get("updated_at") or answer.get("created_at") or "",
    }


def _joined(said: Any, separator: str = " ") -> Any:
    """What a control holds: a list of texts, or one."""
    return separator.join(map(str, said)) if isinstance(said, list) else "" if said is None else str(said)


def _user(completed_by: Any) -> str:
    if isinstance(completed_by, Mapping):
        return str(completed_by.get("email") or f"user-{completed_by.get('id', 'unknown')}")
    return f"user-{'unknown' if completed_by is None else completed_by}"

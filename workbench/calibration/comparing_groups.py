"""Encoders compared within groups of pairs, for one total can hide that all of them fail on the hard ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from workbench.calibration.comparing import compare_scored
from workbench.calibration.comparing_text import FEW_OF_A_KIND
from workbench.calibration.observations import AUTO
from workbench.errors import InputError

__all__ = ["compare_by", "groups_table"]


def compare_by(
    scored: Mapping[str, pd.DataFrame],
    column: str,
    *,
    score: str = "score",
    label: str = "label",
    cluster: str | None = AUTO,
    weight: str | None = AUTO,
    baseline: str | None = None,
    confidence: float = 0.95,
    n_resamples: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """AUC of every encoder in every group, and its difference to the baseline.

    Parameters
    ----------
    scored : mapping of str to DataFrame
        As of :func:`~workbench.calibration.comparing.compare_scored`.
    column : str
        Names the groups, such as ``source`` or ``language``.
    score, label, cluster, weight, baseline, confidence, n_resamples, seed
        As there.

    Returns
    -------
    DataFrame
        One row a group and encoder: ``group, encoder, n, n_matches, auc, auc_low, auc_high, difference,
        difference_low, difference_high, enough`` (at least 10 matches and 10 others) and ``above_chance``
        (the interval of AUC lies above 0.5). Intervals are each by itself; AUC is NaN in a group of one
        class. Groups are in the order in which they appear, pairs without one last, as "–".

    Raises
    ------
    InputError
        If a frame has no such column, and as of ``compare_scored``.
    """
    whole = compare_scored(
        scored, score=score, label=label, cluster=cluster, weight=weight, baseline=baseline, n_resamples=2
    )
    some = next(iter(scored.values()))
    if column not in some.columns:
        raise InputError(
            f"The pairs have no column {column!r} (they have {', '.join(map(str, some.columns))})."
        )
    groups = some[column].reset_index(drop=True)
    rows: list[dict[str, Any]] = []
    for value in sorted(groups.unique(), key=lambda each: bool(pd.isna(each))):
        members = groups.isna() if pd.isna(value) else groups == value
        parts = {name: frame[members.to_numpy()] for name, frame in scored.items()}
        labels = parts[whole.baseline][label]
        n, n_matches = len(labels), int(labels.sum())
        found = None
        if 0 < n_matches < n:
            found = compare_scored(
                parts,
                score=score,
                label=label,
                cluster=cluster,
                weight=weight,
                baseline=whole.baseline,
                confidence=confidence,
                n_resamples=n_resamples,
                seed=seed,
            )
        for name in whole.encoders:
            row = None if found is None else found.row(name)
            of_auc = {
                f"auc{end}": np.nan if row is None else row[key]
                for end, key in (("", "value"), ("_low", "low"), ("_high", "high"))
            }
            gaps = {
                key: np.nan if row is None else row[key]
                for key in ("difference", "difference_low", "difference_high")
            }
            rows.append(
                {
                    "group": "–" if pd.isna(value) else str(value),
                    "encoder": name,
                    "n": n,
                    "n_matches": n_matches,
                    **of_auc,
                    **gaps,
                    "enough": min(n_matches, n - n_matches) >= FEW_OF_A_KIND,
                    "above_chance": bool(of_auc["auc_low"] > 0.5),
                }
            )
    return pd.DataFrame(rows)


def groups_table(frame: pd.DataFrame, language: str = "en") -> pd.DataFrame:
    """One row a group and encoder as text, with a remark where AUC is no better than chance."""
    zh = language == "zh"
    rows = []
    for group, members in frame.groupby("group", sort=False):
        for place, line in enumerate(members.to_dict("records")):
            first = place == 0
            remark = "" if line["above_chance"] else ("≈ 随机" if zh else "≈ chance")
            if line["auc_high"] < 0.5:
                # False friends that share words with a JD can mislead an encoder more than a coin would.
                remark = "不如随机" if zh else "< chance"
            if not line["enough"]:
                remark = "样本太少" if zh else "too few"
            rows.append(
                {
                    "组" if zh else "group": group if first else "",
                    "匹配/对数" if zh else "matches": _of(line, language) if first else "",
                    "编码器" if zh else "encoder": line["encoder"],
                    "AUC": _with_ends(line, "auc", "", "–"),
                    "差" if zh else "difference": "" if first else _with_ends(line, "difference", "+", ", "),
                    " ": remark,
                }
            )
    return pd.DataFrame(rows)


def _of(line: Mapping[Any, Any], language: str) -> str:
    matches, n = f"{line['n_matches']:,}", f"{line['n']:,}"
    return f"{matches}/{n}" if language == "zh" else f"{matches} of {n}"


def _with_ends(line: Mapping[Any, Any], key: str, sign: str, between: str) -> str:
    value, low, high = (line[f"{key}{end}"] for end in ("", "_low", "_high"))
    if np.isnan(value):
        return "–"
    said = f"{value:{sign}.3f}"
    return said if np.isnan(low) else f"{said} ({low:{sign}.3f}{between}{high:{sign}.3f})"

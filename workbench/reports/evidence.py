"""What a cutoff rests on, as a list of facts from its card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from workbench.reports.words import Words

if TYPE_CHECKING:
    from workbench.calibration import Study

__all__ = ["evidence_list"]


def evidence_list(study: Study, words: Words) -> str:
    """The facts of the card that the rest of the report does not show."""
    found = study.cutoff.evidence
    pairs, encoder = found.get("pairs", {}), found.get("encoder", {})
    scored_by = study.pairs.attrs.get("encoder") or {}
    facts = {
        "date": found.get("date"),
        "encoder": study.cutoff.encoder_name or scored_by.get("name"),
        "fingerprint": study.cutoff.fingerprint or scored_by.get("fingerprint"),
        "instruction": encoder.get("instruction"),
        "dimension": encoder.get("dimension"),
        "source": pairs.get("source"),
        "content_hash": pairs.get("content_hash"),
        "resolution": pairs.get("resolution"),
        "cleaning": found.get("cleaning"),
        "method": found.get("method"),
        "targets": found.get("targets"),
        "live": found.get("live"),
        "versions": found.get("versions"),
    }
    return (
        "<dl>"
        + "".join(
            f"<dt>{escape(words.facts[name])}</dt><dd>{escape(_said(value))}</dd>"
            for name, value in facts.items()
            if value not in (None, "", {})
        )
        + "</dl>"
    )


def _said(value: Any) -> str:
    """A value as text: what is nested with its names, nothing for what is not known."""
    if isinstance(value, Mapping):
        known = {name: inner for name, inner in value.items() if inner is not None and inner != {}}
        return ", ".join(f"{name}: {_nested(inner)}" for name, inner in known.items())
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _nested(value: Any) -> str:
    return f"({_said(value)})" if isinstance(value, Mapping) else _said(value)

"""For rooms that still ask for the sentences of a study with a language."""

from __future__ import annotations

from workbench import i18n
from workbench.calibration.figures import title
from workbench.calibration.findings import TOLD, Study


def _named(language: str) -> list[str]:
    with i18n.language(language):
        return [title(name) for name in TOLD]


NAMES = {name: pair for name, *pair in zip(TOLD, _named("zh"), _named("en"), strict=True)}


def sentences(study: Study, language: str = "en") -> dict[str, str]:
    with i18n.language(language):
        return study.sentences()

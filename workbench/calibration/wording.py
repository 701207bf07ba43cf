"""Numbers and sentences as some rooms still ask for them, with a language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench import i18n

number = i18n.number


def spoken(say: Callable[..., str], language: str, *about: Any) -> str:
    with i18n.language(language):
        return say(*about)


def percent(share: float, language: str = "en") -> str:
    return spoken(i18n.percent, language, share)


def target_tested(test: Any, confidence: float, language: str) -> str:
    return spoken(test.phrase, language, confidence)

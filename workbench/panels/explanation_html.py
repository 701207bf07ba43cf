"""Explanations of scores for people: both texts with the phrases highlighted that lift or lower the score.

Explanations are made in :mod:`workbench.exploration`; every text is escaped here.
"""

from __future__ import annotations

from html import escape

from workbench.exploration.explanation import NEGLIGIBLE, Explanation, Side
from workbench.panels.labels import labels_for
from workbench.panels.stylesheet import EXPLANATION_STYLE
from workbench.settings import Language

__all__ = ["explanation_html"]

# The strongest phrase has the strongest colour, but not where even that one hardly matters.
LEAST_SCALE = 0.05
LEVELS = 4

WORDS = {
    "zh": {
        "jd": "岗位要求",
        "resume": "简历",
        "score": "分数",
        "up": "拉高分数（去掉它，分数降这么多）",
        "down": "拉低分数（去掉它，分数升这么多）",
        "cut": "文本过长，只显示参与编码的部分。",
        "by": "编码器",
    },
    "en": {
        "jd": "JD",
        "resume": "Résumé",
        "score": "Score",
        "up": "lifts the score (by as much as it loses without)",
        "down": "lowers the score",
        "cut": "The text is too long; only what is encoded is shown.",
        "by": "encoder",
    },
}


def explanation_html(
    explanation: Explanation, language: Language | None = None, *, styled: bool = True
) -> str:
    """Both texts with highlighted phrases, and a sentence.

    Parameters
    ----------
    explanation : Explanation
    language : {"zh", "en"}, optional
        By default that of the settings.
    styled : bool
        Whether the style sheet comes along; a page needs it once.

    Returns
    -------
    str
        A fragment of HTML without scripts or external parts; all texts are escaped. Blue with a solid
        line lifts the score, orange with a dashed line lowers it.

    Examples
    --------
    >>> from workbench.exploration.explanation import ExplainedText, PhraseEffect
    >>> side = ExplainedText("<b>RAG</b>", (PhraseEffect(3, 6, "RAG", 0.1),))
    >>> html = explanation_html(Explanation(side, side, 0.5, "use", "0123"), "en")
    >>> "&lt;b&gt;<mark" in html, "<b>RAG" in html
    (True, False)
    """
    labels = labels_for(language)
    words = WORDS[labels.language]
    effects = [abs(phrase.effect) for side in (explanation.jd, explanation.resume) for phrase in side.phrases]
    scale = max([LEAST_SCALE, *effects])
    # Two fixed samples, so that the legend looks as the texts do.
    keys = "".join(
        f'<span class="wb-key"><mark class="wb-{kind} wb-2">&nbsp;{sign}&nbsp;</mark> '
        f"{escape(words[kind])}</span>"
        for kind, sign in (("up", "+"), ("down", "−"))
    )
    return (
        f'{EXPLANATION_STYLE if styled else ""}<section class="wb-explained" lang="{labels.html_lang}">'
        f'<div class="wb-head"><span class="wb-score">{words["score"]} {explanation.score:.4f}</span>{keys}'
        f'<span class="wb-key">{words["by"]} {escape(explanation.encoder_name)}</span></div>'
        f"{_side(explanation, 'jd', scale, words)}{_side(explanation, 'resume', scale, words)}"
        f'<p class="wb-said">{escape(explanation.sentence(labels.language))}</p></section>'
    )


def _side(explanation: Explanation, side: Side, scale: float, words: dict[str, str]) -> str:
    text = explanation.side(side)
    shown = "".join(
        escape(piece) if effect is None or abs(effect) < NEGLIGIBLE else _mark(piece, effect, scale)
        for piece, effect in text.pieces()
    )
    note = f'<p class="wb-note">{escape(words["cut"])}</p>' if text.was_cut else ""
    return (
        f'<div class="wb-side wb-side-{side}"><b>{escape(words[side])}</b>'
        f'<div><p class="wb-text">{shown}</p>{note}</div></div>'
    )


def _mark(text: str, effect: float, scale: float) -> str:
    level = min(int(abs(effect) / scale * LEVELS) + 1, LEVELS)
    kind = "up" if effect > 0 else "down"
    shown = f"{effect:+.3f}".replace("-", "−")
    return f'<mark class="wb-{kind} wb-{level}">{escape(text)}<span class="wb-effect">{shown}</span></mark>'

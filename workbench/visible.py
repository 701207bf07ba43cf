"""Foreign text as it may be shown: what would drive a terminal, or turn a line around, is written out.

Where masking is asked for (:mod:`workbench.masking`), it happens here too.

The one function for whatever shows texts: templates (:mod:`workbench.html`), the command line, figures,
progress bars, and the messages of errors.
"""

from __future__ import annotations

import re

from workbench.masking import masked

# Control characters (Unicode's Cc) but the tab and the end of a line; halves of surrogate pairs; and what
# changes the direction of writing: marks, embeddings, overrides and isolates of UAX #9, table "Bidi_Control".
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    r"""A text without any character that acts in the place of being seen; each stands there as its escape.

    Examples
    --------
    >>> print(visible("cv\x1b[31m.pdf"), visible("\u202efdp.exe"))
    cv\x1b[31m.pdf \u202efdp.exe
    """
    return escaped(masked(text))


def escaped(text: str) -> str:
    """As :func:`visible`, without masking: for what was made of visible texts."""
    return HIDDEN.sub(_escape, text.replace("\r\n", "\n"))


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

"""Processes that a test interrupts."""

import signal

__all__ = ["heed_ctrl_c"]


def heed_ctrl_c() -> None:
    """For ``preexec_fn``: what a shell runs in the background is deaf to Ctrl-C, and so are its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

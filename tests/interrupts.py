"""Processes that a test interrupts."""

import signal

__all__ = ["heed_ctrl_c"]


def heed_ctrl_c() -> None:
    """For ``preexec_fn``: a shell starts what runs in the background deaf to Ctrl-C, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

"""The app is ended, two write at once, a disk is full, the clock jumps: nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from faults_tried import FAULTS, NEED_MOUNT, may_mount

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="signals and mounts of POSIX systems"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_lost_nor_left(fault, tmp_path, monkeypatch):
    if fault in NEED_MOUNT and not may_mount():
        pytest.skip("may not mount a disk")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=os.pathsep)
    assert FAULTS[fault](tmp_path) == []

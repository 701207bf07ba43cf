from workbench.calibration.shares import *  # noqa: F403

"""The checks of the exercises on detecting shift."""

from stablenets.checks.detecting_shift import level, mmd, multiple, two_sample

__all__ = ["level", "mmd", "multiple", "two_sample"]

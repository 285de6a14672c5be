"""The exercises of the course: a check answers at once and names the mistake."""

from stablenets.checks.proof import alternative, wrong
from stablenets.checks.run import check

__all__ = ["alternative", "check", "wrong"]

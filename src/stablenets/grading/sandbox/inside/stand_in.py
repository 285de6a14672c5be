"""What a submission finds in place of the checks: they run elsewhere, with inputs of their own."""


class Later:
    """The answer of a check that has not run."""

    def __repr__(self) -> str:
        return "checked when graded"


def check(*arguments: object, **options: object) -> Later:
    return Later()

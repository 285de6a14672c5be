"""Numbers in sentences."""


def counted(number: int, thing: str) -> str:
    """Return so many things, in words that agree.

    >>> counted(1, "answer"), counted(2, "answer")
    ('1 answer', '2 answers')
    """
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"

"""The secret from which the seeds of the checks come."""

import hmac
import os
import secrets
from pathlib import Path


def new() -> bytes:
    """Draw a secret."""
    return secrets.token_bytes(32)


def seed(secret: bytes, exercise: str) -> int:
    """Return the seed of an exercise, in [0, 2³¹), which tells nothing of the secret nor of other seeds."""
    return int.from_bytes(hmac.digest(secret, exercise.encode(), "sha256")[:4]) >> 1


def of_file(path: Path) -> bytes:
    """Return the secret that a file keeps, for its owner alone; where there is none, draw one."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(new())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # the one that is there stays
    finally:
        draft.unlink()
    return path.read_bytes()

"""One browser for all tests of a worker."""

import pytest
from browser import launched


@pytest.fixture(scope="session")
def browser():
    with launched() as browser:
        yield browser

"""What a bundle answers to bad input."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def refusing(*parts: str) -> Iterator[None]:
    """Expect an error whose messages hold all of these parts: MONAI wraps what happens inside a configuration."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the tests are about the messages
        yield
    text = messages(caught.value)
    for part in parts:
        assert part in text, text


def messages(error: BaseException | None) -> str:
    """All messages of an error; the cause's is what the user reads first."""
    return f"{error}\n{messages(error.__cause__ or error.__context__)}" if error else ""

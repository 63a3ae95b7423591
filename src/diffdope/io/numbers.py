"""Numbers in text."""

from __future__ import annotations


def is_number(word: str) -> bool:
    """Whether `float` reads a word."""
    try:
        float(word)
    except ValueError:
        return False
    return True

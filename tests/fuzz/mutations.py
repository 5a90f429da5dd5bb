"""The corpus of a reader, and arbitrary changes of what is in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

CORPUS = Path(__file__).parent / "corpus"
_ODD_BYTES = bytes((0x00, 0x01, 0x1F, 0x24, 0x30, 0x7F, 0x80, 0x84, 0xA2, 0xFF))


def corpus(reader: str) -> list[bytes]:
    """The files of one reader's directory, in the order of their names."""
    found = [file.read_bytes() for file in sorted((CORPUS / reader).iterdir())]
    assert found, f"no corpus for {reader}"
    return found


def fuzzed(examples: int) -> Callable[[Any], Any]:
    """Settings of a test: the same `examples` each time, ten times as many new ones in full."""
    thorough = settings().max_examples > 30
    return settings(
        max_examples=10 * examples if thorough else examples,
        derandomize=not thorough,
        database=None,
        deadline=None,
    )


@st.composite
def mutated(draw: st.DrawFn, originals: list[bytes], most: int = 6) -> bytes:
    """One of the originals with up to `most` changes; now and then bytes of no kind at all."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=300))
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(0, most))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 12))
        match draw(st.integers(0, 5)):
            case 0:
                data[at : at + length] = draw(st.binary(max_size=8))
            case 1:
                data[at : at + 1] = bytes((draw(st.sampled_from(_ODD_BYTES)),))
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = data[at : at + length] * draw(st.integers(1, 40))
            case 4:
                other = draw(st.sampled_from(originals))
                start = draw(st.integers(0, len(other)))
                data[at:] = other[start:]
            case 5 if at < len(data):
                data[at] ^= 1 << draw(st.integers(0, 7))
    return bytes(data)

"""Texts of others made harmless, and lines cut to a limit at a whole item."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

ELLIPSIS = "…"

_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control and format characters (right-to-left marks too), halves of pairs, line separators."""


def clean(text: str, most: int = 120) -> str:
    """One line of a device's, a provider's or a person's text: nothing in it that acts."""
    kept = "".join(" " if unicodedata.category(one) in _UNWANTED else one for one in text)
    return cut(" ".join(kept.split()), most)


def clean_text(text: str) -> str:
    """The same for a whole message: its line ends stay."""
    return "\n".join(clean(line, len(line)) for line in text.split("\n"))


def cut(text: str, most: int) -> str:
    """At most so many characters; at a blank where one is near."""
    if len(text) <= most:
        return text
    if most <= 0:
        return ""
    head = text[: most - 1]
    blank = head.rfind(" ")
    return (head[:blank] if blank > most * 2 // 3 else head).rstrip() + ELLIPSIS


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of a message. items: a list at its end that may be shortened.

    weight: the lines of the smallest weight go first when there is no room. more: what stands for
    the items left out, `{n}` is how many. glue: between head and items, and between items.
    most: so many items at most, however much room there is: nobody reads more on a telephone.
    """

    head: str
    weight: int
    items: tuple[str, ...] = ()
    more: str = "+{n}"
    glue: tuple[str, str] = (" ", ", ")
    most: int = 40

    def shown(self, count: int) -> str:
        """The line with its first `count` items."""
        if not self.items:
            return self.head
        left = len(self.items) - count
        parts = [*self.items[:count], *([self.more.format(n=left)] if left else [])]
        return self.head + self.glue[0] + self.glue[1].join(parts)

    @property
    def fewest(self) -> int:
        """A list is worth showing from one item on."""
        return min(1, len(self.items))

    @property
    def fullest(self) -> int:
        """As many items as it ever shows."""
        return min(self.most, len(self.items))


def fit_lines(lines: Sequence[TextLine], most: int) -> str:
    """The lines as one text of at most `most` characters.

    The longest list is shortened first, item by item; then the line of the least weight goes, the
    last of these first. The first line stays to the end and is cut when it is too long by itself.
    """
    kept = list(lines)
    while True:
        text = _shortened(kept, most)
        if text is not None:
            return text
        if len(kept) == 1:
            return cut(kept[0].shown(kept[0].fewest), most)
        least = min(line.weight for line in kept[1:])
        place = max(n for n, line in enumerate(kept) if n > 0 and line.weight == least)
        del kept[place]


def _shortened(lines: Sequence[TextLine], most: int) -> str | None:
    """All these lines with as many items as there is room for; None: not even with the fewest."""
    counts = [line.fewest for line in lines]

    def joined() -> str:
        return "\n".join(line.shown(count) for line, count in zip(lines, counts, strict=True))

    if len(joined()) > most:
        # All of a short list may be shorter than "+2 more".
        counts = [line.fullest for line in lines]
        return joined() if len(joined()) <= most else None
    for place, line in enumerate(lines):
        low, high = counts[place], line.fullest
        while low < high:  # the most items that fit
            counts[place] = (low + high + 1) // 2
            if len(joined()) <= most:
                low = counts[place]
            else:
                high = counts[place] - 1
        counts[place] = low
    return joined()

"""Remove unsafe characters, and fit the lines of a message into a channel's limit."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

ELLIPSIS = "…"

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories: control, format (right-to-left marks too), surrogates, line separators."""


def clean(text: str, most: int = 120) -> str:
    """A text of a device, provider or person as one line of at most `most` safe characters."""
    safe = "".join(" " if unicodedata.category(one) in _UNSAFE else one for one in text)
    return cut(" ".join(safe.split()), most)


def clean_text(text: str) -> str:
    """A whole message without unsafe characters; its line ends stay."""
    return "\n".join(clean(line, len(line)) for line in text.split("\n"))


def cut(text: str, most: int) -> str:
    """At most so many characters, cut at a blank where one is near."""
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
    the items left out, `{n}` is how many. separators: between head and items, and between items.
    max_items: never more than so many.
    """

    head: str
    weight: int
    items: tuple[str, ...] = ()
    more: str = "+{n}"
    separators: tuple[str, str] = (" ", ", ")
    max_items: int = 40

    def render(self, count: int) -> str:
        """The line with its first `count` items."""
        if not self.items:
            return self.head
        left = len(self.items) - count
        parts = [*self.items[:count], *([self.more.format(n=left)] if left else [])]
        return self.head + self.separators[0] + self.separators[1].join(parts)

    @property
    def least_shown(self) -> int:
        """The fewest items that are shown."""
        return min(1, len(self.items))

    @property
    def most_shown(self) -> int:
        """The most items that are shown."""
        return min(self.max_items, len(self.items))


def fit_lines(lines: Sequence[TextLine], most: int) -> str:
    """The lines as one text of at most `most` characters.

    Lists are shortened first, item by item; then the line of the least weight is left out, the
    last of these first. The first line always stays and is cut when it is too long by itself.
    """
    kept = list(lines)
    while True:
        text = _shortened(kept, most)
        if text is not None:
            return text
        if len(kept) == 1:
            return cut(kept[0].render(kept[0].least_shown), most)
        least = min(line.weight for line in kept[1:])
        place = max(n for n, line in enumerate(kept) if n > 0 and line.weight == least)
        del kept[place]


def _shortened(lines: Sequence[TextLine], most: int) -> str | None:
    """All lines with as many items as fit; None: too long even with the fewest."""
    counts = [line.least_shown for line in lines]

    def joined() -> str:
        return "\n".join(line.render(count) for line, count in zip(lines, counts, strict=True))

    if len(joined()) > most:
        # A whole short list may be shorter than "+2 more".
        counts = [line.most_shown for line in lines]
        return joined() if len(joined()) <= most else None
    for place, line in enumerate(lines):
        low, high = counts[place], line.most_shown
        while low < high:  # the most items that fit
            counts[place] = (low + high + 1) // 2
            if len(joined()) <= most:
                low = counts[place]
            else:
                high = counts[place] - 1
        counts[place] = low
    return joined()

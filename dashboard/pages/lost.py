"""What is shown instead of a page: one sentence, and the way back."""

from __future__ import annotations

from markupsafe import Markup

from dashboard.i18n import Words


def body(code: int, sentence: str, prefix: str, words: Words) -> Markup:
    """code: the HTTP status."""
    return Markup(
        '<main class="lost" id="main"><section class="card"><b>{}</b><h1>{}</h1>'
        '<p><a href="{}">{}</a></p></section></main>'
    ).format(code, sentence, prefix, words.say("error.home"))

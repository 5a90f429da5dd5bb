"""What a message says: in Bahasa Indonesia or English, short enough for a lock screen. Pure.

cleaning: strange characters out, texts cut to a limit; speech: words, times and lengths of time;
places: what people call a target, and whom to call about it; evidence: why it is believed;
single, several, own: the lines of a message; composing: the port `core.alertports.Words`.
"""

from __future__ import annotations

from monitor.core.alerting.messages.composing import MessageWriter

__all__ = ["MessageWriter"]

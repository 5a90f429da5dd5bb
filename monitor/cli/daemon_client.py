"""Send actions to the running daemon through its local API."""

from __future__ import annotations

from pathlib import Path

from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.settings.quick_settings import read_data_dir

WRITE_TIMEOUT_S = 20.0
"""Longer than for a query: a write waits for the disk."""


def post_action(config: Path, path: str, **fields: object) -> dict[str, object]:
    """POST to the local API, without fields that are None; the stored document.

    A field whose name is a Python keyword is given with a trailing underscore (`from_`).
    Raises ApiError with the daemon's own message.
    """
    body = {name.rstrip("_"): value for name, value in fields.items() if value is not None}
    return LocalApiClient(read_data_dir(config), WRITE_TIMEOUT_S).post(path, body)

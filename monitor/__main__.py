"""Run the `pantau` command. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 already running."""

from __future__ import annotations

import sys

from monitor.cli.main import pantau
from monitor.core.errors import AlreadyRunning, PantauError
from monitor.core.printable import without_controls


def main() -> int:
    """The command `pantau`."""
    try:
        pantau.main(prog_name="pantau")
    except AlreadyRunning as error:
        print(f"pantau: {without_controls(str(error))}", file=sys.stderr)
        return 3
    except PantauError as error:
        print(f"pantau: {without_controls(str(error))}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The console on the small fleet, for a look: python -m tests.tui.small."""

from __future__ import annotations

import sys

from tests.tui.fake import NOON, small_fleet
from tui.app import CmsApp


def main() -> int:
    app = CmsApp(small_fleet(), now=lambda: NOON)
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())

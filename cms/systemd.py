"""What a service manager wants to hear (sd_notify): nothing happens where there is none."""

from __future__ import annotations

import contextlib
import os
import socket


def tell(state: str) -> None:
    """Send e.g. ``READY=1`` to the service manager that started us."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notify:
        # A manager that does not read (its queue holds ten) must not hold up the loop; nor one that has gone.
        notify.setblocking(False)
        with contextlib.suppress(OSError):
            notify.connect(address)
            notify.send(state.encode())

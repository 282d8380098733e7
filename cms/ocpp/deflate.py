"""Compression as stations may have it: no window kept for an idle connection, a bound on what inflates."""

from __future__ import annotations

import time
from collections.abc import Sequence

from websockets.exceptions import PayloadTooBig
from websockets.extensions.base import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame
from websockets.typing import ExtensionParameter

#: Bytes that one station may win by compression, at once and per second.
_INFLATED_BURST = 4 * 1024 * 1024
_INFLATED_PER_S = 256 * 1024


class Deflate(ServerPerMessageDeflateFactory):
    """Offers permessage-deflate so that an idle connection keeps no window: 2.0.1 Part 4, 3.4 wants the extension."""

    def __init__(self) -> None:
        super().__init__(
            server_no_context_takeover=True,
            client_no_context_takeover=True,
            server_max_window_bits=12,
            compress_settings={"memLevel": 5},
        )

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        agreed, extension = super().process_request_params(params, accepted_extensions)
        return agreed, _DeflateSometimes(
            extension.remote_no_context_takeover,
            extension.local_no_context_takeover,
            extension.remote_max_window_bits,
            extension.local_max_window_bits,
            extension.compress_settings,
        )


class _DeflateSometimes(PerMessageDeflate):
    """Compression without a context per connection, for messages that are worth it.

    A message is sent uncompressed when it likes (RFC 7692, 7.2.1); our answers are mostly shorter than the effort.
    What inflates is bounded over time too: one read of the socket can hold hundreds of small frames that each
    become the largest message there may be.
    """

    _left = float(_INFLATED_BURST)
    _at = 0.0

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        decoded = super().decode(frame, max_size=max_size)
        now = time.monotonic()
        refilled = min(_INFLATED_BURST, self._left + (now - self._at) * _INFLATED_PER_S)
        self._at, self._left = now, refilled - (len(decoded.data) - len(frame.data))
        if self._left < 0:
            raise PayloadTooBig(None, max_size)
        return decoded

    def encode(self, frame: Frame) -> Frame:
        return frame if len(frame.data) < 1024 else super().encode(frame)

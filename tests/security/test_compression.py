"""T8: compressed messages that become large. One frame is bounded by the library; many small ones by us."""

from __future__ import annotations

import json
import zlib

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode

from cms.ocpp.deflate import Deflate

_LARGEST = 1024 * 1024
#: What one connection may make us hold in one go, whatever it sends (docs/security-threats.md).
_BOUND = 8 * 1024 * 1024


def deflated(text: str) -> Frame:
    packer = zlib.compressobj(9, zlib.DEFLATED, -12)
    data = packer.compress(text.encode()) + packer.flush(zlib.Z_SYNC_FLUSH)
    return Frame(Opcode.TEXT, data[:-4], rsv1=True)


def won(extension: PerMessageDeflate, frame: Frame, times: int) -> int:
    """Bytes that this frame becomes, sent so often in one read of the socket, until it is refused."""
    total = 0
    try:
        for _ in range(times):
            total += len(extension.decode(frame, max_size=_LARGEST).data)
    except (PayloadTooBig, ProtocolError):
        pass
    return total


def agreed(factory: ServerPerMessageDeflateFactory) -> PerMessageDeflate:
    """What a station gets that offers compression as the library's clients do."""
    return factory.process_request_params([("client_max_window_bits", None)], [])[1]


def bomb(size: int) -> Frame:
    return deflated(json.dumps([2, "1", "DataTransfer", {"vendorId": "v", "data": "x" * size}]))


def test_many_small_bombs_are_refused_long_before_they_fill_the_memory() -> None:
    small = bomb(400_000)
    assert len(small.data) < 1000, "400 times its size"
    assert won(agreed(Deflate()), small, 1000) <= _BOUND
    careless = ServerPerMessageDeflateFactory(
        server_no_context_takeover=True, client_no_context_takeover=True
    )
    assert won(agreed(careless), small, 100) > _BOUND, "the oracle catches the library alone"


def test_one_large_bomb_is_refused_before_it_is_inflated_whole() -> None:
    assert won(agreed(Deflate()), bomb(50_000_000), 1) == 0


def test_what_honest_stations_send_passes() -> None:
    entry = {
        "component": {"name": "Connector"},
        "variable": {"name": "AvailabilityState"},
        "value": "Available",
    }
    report = deflated(json.dumps([2, "1", "NotifyReport", {"reportData": [entry] * 2000}]))
    assert won(agreed(Deflate()), report, 5) > 5 * 200_000, "five parts of a full report, one after the other"

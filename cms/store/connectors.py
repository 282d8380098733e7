"""Connectors as last reported."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, bindparam, select
from sqlmodel import Field

from cms.domain.changes import SaveConnector
from cms.domain.connectors import Connector
from cms.store.reader import Reader
from cms.store.schema import Instant, Owned, Words, fold
from cms.store.statements import Params, delete, encoder, record_columns, table, upsert


class ConnectorRow(Owned, table=True):
    __tablename__ = "connectors"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation", "station_key"],
            ["stations.organisation", "stations.key"],
            name="fk_connectors_station",
            ondelete="CASCADE",
        ),
    )

    station_key: str = Field(sa_type=Words, primary_key=True)
    evse: int = Field(sa_type=BigInteger, primary_key=True)
    connector: int = Field(sa_type=BigInteger, primary_key=True)
    status: str = Field(sa_type=Words)
    error_code: str | None = Field(sa_type=Words)
    info: str | None = Field(sa_type=Words)
    vendor_error_code: str | None = Field(sa_type=Words)
    reported_at: datetime | None = Field(sa_type=Instant)
    requested_availability: str | None = Field(sa_type=Words)


SAVE = upsert(ConnectorRow, "station_key", "evse", "connector")
DROP = delete(ConnectorRow, lambda t: t.c.station_key == bindparam("key"), "key")

_encode = encoder(ConnectorRow, Connector)
_columns = record_columns(ConnectorRow, Connector)


def saved(change: SaveConnector, _: object) -> list[Params]:
    return [(fold(change.station), *_encode(change.connector))]


async def all_connectors(reader: Reader) -> dict[str, dict[tuple[int, int], Connector]]:
    """Station key -> (EVSE, connector) -> connector."""
    t = table(ConnectorRow)
    found: dict[str, dict[tuple[int, int], Connector]] = {}
    for key, *fields in await reader.rows(select(t.c.station_key, *_columns)):
        connector = Connector(*fields)
        found.setdefault(key, {})[connector.evse, connector.connector] = connector
    return found

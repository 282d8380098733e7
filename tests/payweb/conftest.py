"""A small shop with its pages on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from cms.api.server import serve_public
from cms.payweb import create_pay_app
from tests.payweb.small import SmallShop


@pytest.fixture
def shop() -> SmallShop:
    return SmallShop()


@pytest.fixture
async def phone(shop: SmallShop) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without JavaScript; it does not follow by itself."""
    links = ("terms=https://volt.example/terms",)
    app = create_pay_app(shop.core, shop.operations(), "https://pay.volt.example", links)
    shop.limits = app.state.shop.limits
    running = await serve_public(app, ("127.0.0.1", 0), None)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as phone:
        yield phone
    await running.close()

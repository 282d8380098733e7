"""Lists that are read when somebody looks: all of them, by the word of the ``:`` line."""

from __future__ import annotations

from tui.books import (
    access,
    audit,
    balances,
    bills,
    charges,
    charging,
    drivers,
    imports,
    invoices,
    maintenance,
    model,
    money,
    operators,
    orders,
    people,
    plans,
    sites,
)
from tui.books.shape import Book

BOOKS: dict[str, Book] = {
    book.word: book
    for book in (
        *maintenance.BOOKS,
        *model.BOOKS,
        *charging.BOOKS,
        *drivers.BOOKS,
        *people.BOOKS,
        *access.BOOKS,
        *sites.BOOKS,
        *money.BOOKS,
        *balances.BOOKS,
        *bills.BOOKS,
        *charges.BOOKS,
        *invoices.BOOKS,
        *plans.BOOKS,
        *operators.BOOKS,
        *orders.BOOKS,
        *imports.BOOKS,
        *audit.BOOKS,
    )
}

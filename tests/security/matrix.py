"""Who may do what, as a table: ``python -m tests.security.matrix`` writes it, a person reads the difference."""

from __future__ import annotations

from pathlib import Path

from cms.domain.roles import OWNER, PERMISSIONS, PROPOSALS, ROLES, permissions_of
from cms.operations import OPERATIONS

TABLE = Path(__file__).parent / "matrix.csv"


def says(permission: str, role: str) -> str:
    """yes; ``asks``: another must agree; ``-``: no."""
    if role == OWNER or permission in permissions_of((role,)):
        return "yes"
    return "asks" if role in PROPOSALS.get(permission, ()) else "-"


def table() -> str:
    """Operation, permission, whether it is the platform's, whether it is grave, then each role."""
    roles = (*ROLES, OWNER)
    lines = [",".join(("operation", "permission", "platform", "grave", *roles))]
    for kind, operation in sorted(OPERATIONS.items(), key=lambda row: row[0].__name__):
        marks = ("yes" if operation.platform else "-", "yes" if operation.two else "-")
        told = (says(operation.permission, role) for role in roles)
        lines.append(",".join((kind.__name__, operation.permission, *marks, *told)))
    return "\n".join(lines) + "\n"


def nobody_decided() -> set[str]:
    """Permissions of operations that the table of roles does not know."""
    return {operation.permission for operation in OPERATIONS.values()} - set(PERMISSIONS)


if __name__ == "__main__":
    TABLE.write_text(table(), "utf-8")

"""what channels know of messages is kept; large ones lie in the attachment store; noted ones can be listed"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column(
        "receipts",
        "body",
        existing_type=sa.LargeBinary(),
        existing_nullable=True,
        comment="the request as it came; none after erasure, or where it is large",
        existing_comment="the request as it came; none after erasure",
    )
    for name, kind, comment in (
        ("body_sha256", sa.Text(), "where the attachment store has a body that is large"),
        (
            "details",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            "what its channel knows of it beside what it says",
        ),
        ("html", sa.Text(), "as its writer laid it out, not made harmless; none after erasure"),
    ):
        op.add_column("receipts", sa.Column(name, kind, nullable=True, comment=comment))
    op.create_index(
        "ix_receipts_noted",
        "receipts",
        ["recorded_at", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'noted'"),
    )


def downgrade() -> None:
    op.drop_index("ix_receipts_noted", table_name="receipts", postgresql_where=sa.text("status = 'noted'"))
    for name in ("html", "details", "body_sha256"):
        op.drop_column("receipts", name)
    op.alter_column(
        "receipts",
        "body",
        existing_type=sa.LargeBinary(),
        existing_nullable=True,
        comment="the request as it came; none after erasure",
        existing_comment="the request as it came; none after erasure, or where it is large",
    )

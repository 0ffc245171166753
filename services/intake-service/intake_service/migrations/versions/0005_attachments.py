"""attachments: files by their content, uploads of them, who holds them, and who read them"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blobs",
        sa.Column("sha256", sa.Text(), nullable=False, comment="in hexadecimal; the name of the file in the store"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False, comment="by its first bytes"),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scan", sa.Text(), nullable=False, comment="pending, clean, infected, not_scanned, failed"),
        sa.Column("signature", sa.Text(), nullable=True, comment="what the scanner found, or why it failed"),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scan_attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("scan_at", sa.DateTime(timezone=True), nullable=True, comment="when it is to be scanned next"),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index("ix_blobs_pending", "blobs", ["scan_at"], postgresql_where=sa.text("scan = 'pending'"))
    op.create_table(
        "attachments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False, comment="by its first bytes and its name"),
        sa.Column("stated_type", sa.Text(), nullable=False, comment="what the sender said"),
        sa.Column("actor", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="who uploaded it"),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_attachments_sha256", "attachments", ["sha256"])
    op.create_index("ix_attachments_uploaded_at", "attachments", ["uploaded_at"])
    op.create_table(
        "attachment_uses",
        sa.Column("attachment_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False, comment="the complaint, or the receipt of the message"),
        sa.ForeignKeyConstraint(["attachment_id"], ["attachments.id"]),
        sa.PrimaryKeyConstraint("attachment_id", "holder_id"),
    )
    op.create_index("ix_attachment_uses_holder_id", "attachment_uses", ["holder_id"])
    op.create_table(
        "attachment_accesses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attachment_id", sa.Uuid(), nullable=False, comment="which may be gone by now"),
        sa.Column("actor", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("what", sa.Text(), nullable=False, comment="download, or link: whoever has the link may download"),
        sa.Column("accessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_attachment_accesses", "attachment_accesses", ["attachment_id", "accessed_at", "id"])


def downgrade() -> None:
    op.drop_table("attachment_accesses")
    op.drop_table("attachment_uses")
    op.drop_table("attachments")
    op.drop_table("blobs")

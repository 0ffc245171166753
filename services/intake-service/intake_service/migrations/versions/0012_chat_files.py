"""uploads of a chat's visitor are that chat's"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "attachments",
        sa.Column("chat_id", sa.Uuid(), nullable=True, comment="the chat whose visitor uploaded it"),
    )
    op.create_index(
        "ix_attachments_chat_id",
        "attachments",
        ["chat_id"],
        unique=False,
        postgresql_where=sa.text("chat_id is not null"),
    )


def downgrade() -> None:
    op.drop_index("ix_attachments_chat_id", table_name="attachments", postgresql_where=sa.text("chat_id is not null"))
    op.drop_column("attachments", "chat_id")

"""complaints that were made without a receipt are counted by account"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "delivery_counts",
        sa.Column(
            "direct",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="complaints made without a receipt",
        ),
    )
    op.alter_column("delivery_counts", "repeated", comment="deliveries that were received before")
    op.execute(
        "insert into delivery_counts as d (channel, account, slot, written, repeated, direct, last_at) "
        "select c.channel, c.account, 0, 0, 0, count(*) - count(r.id), max(c.recorded_at) from complaints c "
        "left join receipts r on r.complaint_id = c.id and r.status in ('created', 'suggestion') "
        "group by c.channel, c.account "
        "on conflict (channel, account, slot) do update set direct = excluded.direct, "
        "last_at = greatest(d.last_at, excluded.last_at)"
    )


def downgrade() -> None:
    op.alter_column("delivery_counts", "repeated", comment="deliveries that had a receipt already")
    op.drop_column("delivery_counts", "direct")

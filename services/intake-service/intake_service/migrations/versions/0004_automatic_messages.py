"""messages of machines are kept on a case and told to nobody"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DIRECTIONS = "inbound, outbound, automatic (a machine's, told to nobody)"


def upgrade() -> None:
    op.alter_column("messages", "direction", existing_type=sa.Text(), comment=DIRECTIONS, existing_comment=None)


def downgrade() -> None:
    op.alter_column("messages", "direction", existing_type=sa.Text(), comment=None, existing_comment=DIRECTIONS)

"""The first form: scans, comparisons, jobs, idempotency keys, audit, feedback, tokens seen."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    text, number, whole = sa.String, sa.Float, sa.Integer

    def needed(name: str, kind: Any) -> sa.Column[Any]:
        return sa.Column(name, kind, nullable=False)

    op.create_table(
        "scans", sa.Column("id", text(40), primary_key=True), needed("created", number), needed("form", text(16)), needed("files", whole),
        needed("bytes", whole), needed("sha256", text(64)), needed("settings", sa.Text), needed("job", text(40)), needed("owner", text(80)),
    )  # fmt: skip
    op.create_table(
        "comparisons", sa.Column("id", text(40), primary_key=True), needed("created", number), needed("baseline", text(40)),
        needed("followup", text(40)), needed("settings", sa.Text), needed("job", text(40)), needed("owner", text(80)),
    )  # fmt: skip
    op.create_table(
        "jobs", sa.Column("id", text(40), primary_key=True), needed("kind", text(16)), needed("subject", text(40)),
        needed("state", text(16)), needed("progress", number), needed("says", text(200)),
        needed("attempts", whole), sa.Column("holder", text(40)), sa.Column("beat", number), needed("created", number),
        sa.Column("started", number), sa.Column("ended", number),
    )  # fmt: skip
    op.create_index("jobs_by_state", "jobs", ["state", "created"])
    op.create_table(
        "idempotency_keys", sa.Column("key", text(64), primary_key=True), needed("created", number), needed("subject", text(40)),
        needed("sha256", text(64)),
    )  # fmt: skip
    op.create_table(
        "audit", sa.Column("number", whole, primary_key=True, autoincrement=True), needed("at", number), needed("request", text(40)),
        needed("who", text(120)), needed("action", text(120)), needed("subject", text(64)), needed("status", whole), needed("ms", number),
    )  # fmt: skip
    op.create_index("audit_by_time", "audit", ["at"])
    op.create_table(
        "feedback", sa.Column("number", whole, primary_key=True, autoincrement=True), needed("at", number), needed("who", text(120)),
        needed("service", text(80)), needed("card", text(80)), needed("outcome", text(16)), needed("suggestions", sa.Text),
        needed("reason", text(120)), needed("commented", whole), needed("outcome_at", text(40)),
    )  # fmt: skip
    op.create_table("tokens_seen", sa.Column("token", text(64), primary_key=True), needed("until", number))


def downgrade() -> None:
    """Take every table away."""
    for name in ("tokens_seen", "feedback", "audit", "idempotency_keys", "jobs", "comparisons", "scans"):
        op.drop_table(name)

"""Pauses by store, stream and lane; due times; daemons, notices and the states of segments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MOVED = {"pull": ("paused_at", "paused_reason"), "push": ("push_paused_at", "push_paused_reason")}


def upgrade() -> None:
    op.create_table('daemons',
    sa.Column('owner', sa.String(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('owner')
    )
    op.create_table('notices',
    sa.Column('topic', sa.String(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('remedy', sa.Text(), nullable=False),
    sa.Column('raised_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('tried_at', sa.DateTime(timezone=True), nullable=True, comment='when a process took it upon itself to tell; NULL once it did or failed'),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('over_at', sa.DateTime(timezone=True), nullable=True, comment='since when the trouble is over and that is still to be told'),
    sa.PrimaryKeyConstraint('topic')
    )
    op.create_table('pauses',
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('stream', sa.String(), nullable=False, comment='empty: the whole store'),
    sa.Column('lane', sa.String(), nullable=False, comment='pull or push'),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('by_hand', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('store_id', 'stream', 'lane')
    )
    op.create_table('segment_states',
    sa.Column('segment', sa.String(), nullable=False),
    sa.Column('condition_hash', sa.String(), nullable=False),
    sa.Column('evaluated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('segment')
    )
    op.execute(
        "INSERT INTO segment_states (segment, condition_hash, evaluated_at) "
        "SELECT segment, '', MIN(entered_at) FROM memberships WHERE left_at IS NULL GROUP BY segment"
    )
    op.add_column('checkpoints', sa.Column('due_at', sa.DateTime(timezone=True), nullable=True, comment='when the lane is to be worked next; NULL is at once'))
    op.add_column('checkpoints', sa.Column('succeeded_at', sa.DateTime(timezone=True), nullable=True, comment='when a walk of the lane last ended whole'))
    op.execute(
        "UPDATE checkpoints SET succeeded_at = (SELECT MAX(ended_at) FROM runs WHERE runs.store_id = checkpoints.store_id "
        "AND runs.stream = checkpoints.stream AND runs.lane = checkpoints.lane AND runs.status = 'succeeded')"
    )
    op.create_index('ix_runs_stream', 'runs', ['store_id', 'stream', 'started_at'])
    op.drop_index('ix_runs_store_id', 'runs')
    for lane, (since, reason) in _MOVED.items():
        op.execute(
            "INSERT INTO pauses (store_id, stream, lane, since, reason, by_hand) "
            f"SELECT store_id, '', '{lane}', {since}, COALESCE({reason}, ''), FALSE FROM stores WHERE {since} IS NOT NULL"
        )
    for names in _MOVED.values():
        for name in names:
            op.drop_column('stores', name)


def downgrade() -> None:
    raise NotImplementedError("restore the backup instead")

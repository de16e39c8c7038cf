"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('addresses',
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('owner', sa.String(), nullable=False),
    sa.Column('owner_id', sa.String(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('external_id', sa.String(), nullable=False),
    sa.Column('first_name', sa.String(), nullable=False),
    sa.Column('last_name', sa.String(), nullable=False),
    sa.Column('company', sa.String(), nullable=False),
    sa.Column('line1', sa.String(), nullable=False),
    sa.Column('line2', sa.String(), nullable=False),
    sa.Column('city', sa.String(), nullable=False),
    sa.Column('region', sa.String(), nullable=False),
    sa.Column('postcode', sa.String(), nullable=False),
    sa.Column('country', sa.String(), nullable=False),
    sa.Column('phone', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('store_id', 'owner', 'owner_id', 'position')
    )
    op.create_table('cart_lines',
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('cart_id', sa.String(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('external_id', sa.String(), nullable=False),
    sa.Column('product_id', sa.String(), nullable=False),
    sa.Column('variant_id', sa.String(), nullable=False),
    sa.Column('sku', sa.String(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('total_minor', sa.BigInteger(), nullable=False, comment='minor units of currency'),
    sa.Column('tax_minor', sa.BigInteger(), nullable=False, comment='minor units of currency'),
    sa.Column('discount_minor', sa.BigInteger(), nullable=False, comment='minor units of currency'),
    sa.PrimaryKeyConstraint('store_id', 'cart_id', 'position')
    )
    op.create_table('carts',
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('external_id', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('is_open', sa.Boolean(), nullable=False),
    sa.Column('customer_id', sa.String(), nullable=True),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('first_name', sa.Text(), nullable=True),
    sa.Column('last_name', sa.Text(), nullable=True),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('total_minor', sa.BigInteger(), nullable=False, comment='minor units of currency'),
    sa.Column('line_count', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('recovery_url', sa.Text(), nullable=False),
    sa.Column('recovered_order_id', sa.String(), nullable=True),
    sa.Column('rounded_count', sa.Integer(), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('store_id', 'external_id')
    )
    op.create_index('ix_carts_customer', 'carts', ['store_id', 'customer_id'], unique=False)
    op.create_table('checkpoints',
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('stream', sa.String(), nullable=False),
    sa.Column('lane', sa.String(), nullable=False),
    sa.Column('bookmark', sa.DateTime(timezone=True), nullable=True, comment='stream is fully synced up to here'),
    sa.Column('fresh_until', sa.DateTime(timezone=True), nullable=True, comment='signpost of the last run that succeeded'),
    sa.Column('history_complete_since', sa.DateTime(timezone=True), nullable=True, comment='when a complete walk first succeeded'),
    sa.Column('last_sweep_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('walk_id', sa.String(), nullable=True),
    sa.Column('walk_kind', sa.String(), nullable=True),
    sa.Column('walk_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('walk_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('walk_signpost', sa.DateTime(timezone=True), nullable=True),
    sa.Column('walk_started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('walk_cursor', sa.Text(), nullable=True),
    sa.Column('walk_declared', sa.Integer(), nullable=True),
    sa.Column('walk_read', sa.Integer(), nullable=False),
    sa.Column('walk_new', sa.Integer(), nullable=False),
    sa.Column('walk_changed', sa.Integer(), nullable=False),
    sa.Column('walk_unchanged', sa.Integer(), nullable=False),
    sa.Column('walk_stale', sa.Integer(), nullable=False),
    sa.Column('walk_rejected', sa.Integer(), nullable=False),
    sa.Column('lease_owner', sa.String(), nullable=True),
    sa.Column('lease_epoch', sa.Integer(), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('store_id', 'stream', 'lane')
    )
    op.create_table('consents',
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('customer_id', sa.String(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('level', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('store_id', 'customer_id', 'channel')
    )
    op.create_table('contacts',
    sa.Column('contact_id', sa.String(), nullable=False),
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('external_id', sa.String(), nullable=False),
    sa.Column('profile_id', sa.String(), nullable=False),
    sa.Column('first_name', sa.Text(), nullable=False),
    sa.Column('last_name', sa.Text(), nullable=False),
    sa.Column('identity_hash', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('contact_id')
    )
    op.create_index(op.f('ix_contacts_profile_id'), 'contacts', ['profile_id'], unique=False)
    op.create_index('ix_contacts_source', 'contacts', ['store_id', 'kind', 'external_id'], unique=True)
    op.create_table('customers',
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('external_id', sa.String(), nullable=False),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('first_name', sa.Text(), nullable=True),
    sa.Column('last_name', sa.Text(), nullable=True),
    sa.Column('company', sa.Text(), nullable=True),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('is_staff', sa.Boolean(), nullable=False),
    sa.Column('locale', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('store_id', 'external_id')
    )
    op.create_table('facts',
    sa.Column('profile_id', sa.String(), nullable=False),
    sa.Column('currency', sa.Text(), nullable=False, comment="of the amounts: the merchant's, else the only one the profile used"),
    sa.Column('orders_count', sa.Integer(), nullable=False),
    sa.Column('spent_minor', sa.BigInteger(), nullable=True),
    sa.Column('average_order_minor', sa.BigInteger(), nullable=True),
    sa.Column('refunded_minor', sa.BigInteger(), nullable=True),
    sa.Column('first_order_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_order_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('accounts_count', sa.Integer(), nullable=False),
    sa.Column('guest_orders_count', sa.Integer(), nullable=False),
    sa.Column('stores_count', sa.Integer(), nullable=False),
    sa.Column('platforms_count', sa.Integer(), nullable=False),
    sa.Column('open_carts_count', sa.Integer(), nullable=False),
    sa.Column('open_cart_minor', sa.BigInteger(), nullable=True),
    sa.Column('open_cart_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('email_consent', sa.String(), nullable=False),
    sa.Column('sms_consent', sa.String(), nullable=False),
    sa.Column('is_staff', sa.Boolean(), nullable=False),
    sa.Column('computed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('profile_id')
    )
    op.create_table('identifiers',
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('value', sa.String(), nullable=False),
    sa.Column('contact_id', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'value', 'contact_id'),
    sqlite_with_rowid=False
    )
    op.create_index(op.f('ix_identifiers_contact_id'), 'identifiers', ['contact_id'], unique=False)
    op.create_table('judgements',
    sa.Column('judgement_id', sa.String(), nullable=False),
    sa.Column('left_id', sa.String(), nullable=False),
    sa.Column('right_id', sa.String(), nullable=False),
    sa.Column('verdict', sa.String(), nullable=False),
    sa.Column('rule', sa.String(), nullable=False),
    sa.Column('score', sa.Float(), nullable=False),
    sa.Column('evidence', sa.Text(), nullable=False, comment='JSON list of [kind, value]'),
    sa.Column('origin', sa.String(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('judgement_id')
    )
    op.create_index('ix_judgements_left', 'judgements', ['left_id'], unique=False)
    op.create_index('ix_judgements_live', 'judgements', ['left_id', 'right_id', 'origin'], unique=True, sqlite_where=sa.text('superseded_at IS NULL'), postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_index('ix_judgements_right', 'judgements', ['right_id'], unique=False)
    op.create_table('ledger',
    sa.Column('entry_id', sa.String(), nullable=False),
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('external_id', sa.String(), nullable=False),
    sa.Column('tag', sa.String(), nullable=False),
    sa.Column('segment', sa.String(), nullable=False),
    sa.Column('apply_id', sa.String(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('entry_id')
    )
    op.create_index('ix_ledger_account', 'ledger', ['store_id', 'external_id', 'tag'], unique=False)
    op.create_table('memberships',
    sa.Column('membership_id', sa.String(), nullable=False),
    sa.Column('segment', sa.String(), nullable=False),
    sa.Column('profile_id', sa.String(), nullable=False),
    sa.Column('entered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('left_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('membership_id')
    )
    op.create_index('ix_memberships_open', 'memberships', ['segment', 'profile_id'], unique=True, sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))
    op.create_index(op.f('ix_memberships_profile_id'), 'memberships', ['profile_id'], unique=False)
    op.create_table('merchant',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('salt', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('order_lines',
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('order_id', sa.String(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('external_id', sa.String(), nullable=False),
    sa.Column('product_id', sa.String(), nullable=False),
    sa.Column('variant_id', sa.String(), nullable=False),
    sa.Column('sku', sa.String(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('total_minor', sa.BigInteger(), nullable=False, comment='minor units of currency'),
    sa.Column('tax_minor', sa.BigInteger(), nullable=False, comment='minor units of currency'),
    sa.Column('discount_minor', sa.BigInteger(), nullable=False, comment='minor units of currency'),
    sa.PrimaryKeyConstraint('store_id', 'order_id', 'position')
    )
    op.create_index(op.f('ix_order_lines_sku'), 'order_lines', ['sku'], unique=False)
    op.create_table('orders',
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('external_id', sa.String(), nullable=False),
    sa.Column('number', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('customer_id', sa.String(), nullable=True),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('first_name', sa.Text(), nullable=True),
    sa.Column('last_name', sa.Text(), nullable=True),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('total_minor', sa.BigInteger(), nullable=False, comment='minor units of currency'),
    sa.Column('tax_minor', sa.BigInteger(), nullable=False, comment='minor units of currency'),
    sa.Column('shipping_minor', sa.BigInteger(), nullable=False, comment='minor units of currency'),
    sa.Column('discount_minor', sa.BigInteger(), nullable=False, comment='minor units of currency'),
    sa.Column('refunded_minor', sa.BigInteger(), nullable=False, comment='minor units of currency'),
    sa.Column('line_count', sa.Integer(), nullable=False),
    sa.Column('placed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('completed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('is_test', sa.Boolean(), nullable=False),
    sa.Column('discount_codes', sa.Text(), nullable=False, comment='space-separated'),
    sa.Column('rounded_count', sa.Integer(), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('store_id', 'external_id')
    )
    op.create_index('ix_orders_customer', 'orders', ['store_id', 'customer_id'], unique=False)
    op.create_table('outbox',
    sa.Column('outbox_id', sa.String(), nullable=False),
    sa.Column('apply_id', sa.String(), nullable=False),
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('external_id', sa.String(), nullable=False),
    sa.Column('profile_id', sa.String(), nullable=False),
    sa.Column('action', sa.String(), nullable=False),
    sa.Column('tag', sa.String(), nullable=False),
    sa.Column('segment', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('not_before', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('outbox_id')
    )
    op.create_index('ix_outbox_account', 'outbox', ['store_id', 'external_id', 'tag'], unique=False)
    op.create_index(op.f('ix_outbox_apply_id'), 'outbox', ['apply_id'], unique=False)
    op.create_index('ix_outbox_state', 'outbox', ['state', 'store_id'], unique=False)
    op.create_table('profile_events',
    sa.Column('event_id', sa.String(), nullable=False),
    sa.Column('profile_id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False, comment='JSON'),
    sa.PrimaryKeyConstraint('event_id')
    )
    op.create_index(op.f('ix_profile_events_profile_id'), 'profile_events', ['profile_id'], unique=False)
    op.create_table('profiles',
    sa.Column('profile_id', sa.String(), nullable=False),
    sa.Column('merged_into', sa.String(), nullable=True),
    sa.Column('first_name', sa.Text(), nullable=False),
    sa.Column('last_name', sa.Text(), nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('phone', sa.Text(), nullable=False),
    sa.Column('country', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('profile_id')
    )
    op.create_index(op.f('ix_profiles_merged_into'), 'profiles', ['merged_into'], unique=False)
    op.create_table('raw_records',
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('stream', sa.String(), nullable=False),
    sa.Column('external_id', sa.String(), nullable=False),
    sa.Column('payload', sa.LargeBinary(), nullable=False),
    sa.Column('content_hash', sa.LargeBinary(), nullable=False),
    sa.Column('source_time', sa.DateTime(timezone=True), nullable=True),
    sa.Column('fetched_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('mapper_version', sa.Integer(), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('store_id', 'stream', 'external_id')
    )
    op.create_table('refunds',
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('order_id', sa.String(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('external_id', sa.String(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False, comment='minor units of currency'),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('store_id', 'order_id', 'position')
    )
    op.create_table('rejected_records',
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('stream', sa.String(), nullable=False),
    sa.Column('external_id', sa.String(), nullable=False),
    sa.Column('payload', sa.LargeBinary(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('mapper_version', sa.Integer(), nullable=False),
    sa.Column('first_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('store_id', 'stream', 'external_id')
    )
    op.create_table('runs',
    sa.Column('run_id', sa.String(), nullable=False),
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('stream', sa.String(), nullable=False),
    sa.Column('lane', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('pages', sa.Integer(), nullable=False),
    sa.Column('read', sa.Integer(), nullable=False),
    sa.Column('new', sa.Integer(), nullable=False),
    sa.Column('changed', sa.Integer(), nullable=False),
    sa.Column('unchanged', sa.Integer(), nullable=False),
    sa.Column('stale', sa.Integer(), nullable=False),
    sa.Column('rejected', sa.Integer(), nullable=False),
    sa.Column('deleted', sa.Integer(), nullable=False),
    sa.Column('declared', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('run_id')
    )
    op.create_index(op.f('ix_runs_store_id'), 'runs', ['store_id'], unique=False)
    op.create_table('shared_identifiers',
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('value', sa.String(), nullable=False),
    sa.Column('origin', sa.String(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'value')
    )
    op.create_table('spend',
    sa.Column('profile_id', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('orders_count', sa.Integer(), nullable=False),
    sa.Column('spent_minor', sa.BigInteger(), nullable=False, comment='minor units of currency'),
    sa.PrimaryKeyConstraint('profile_id', 'currency')
    )
    op.create_table('stores',
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('identity', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('timezone', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('country', sa.String(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('first_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('paused_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('paused_reason', sa.Text(), nullable=True),
    sa.Column('push_paused_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('push_paused_reason', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('store_id')
    )
    op.create_table('tag_state',
    sa.Column('store_id', sa.String(), nullable=False),
    sa.Column('external_id', sa.String(), nullable=False),
    sa.Column('tag', sa.String(), nullable=False),
    sa.Column('is_present', sa.Boolean(), nullable=False),
    sa.Column('known_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('store_id', 'external_id', 'tag')
    )
    op.create_index('ix_tag_state_tag', 'tag_state', ['tag', 'store_id'], unique=False)
    op.create_table('touched_profiles',
    sa.Column('profile_id', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('profile_id')
    )
    op.create_table('walk_seen',
    sa.Column('walk_id', sa.String(), nullable=False),
    sa.Column('external_id', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('walk_id', 'external_id'),
    sqlite_with_rowid=False
    )

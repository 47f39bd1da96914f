-- Up Migration

-- The stream of small installs: every message once, written and never changed, until a learner has it and the live windows no longer need it.
create table stream_messages (
	position bigint generated always as identity primary key,
	subject text not null,
	message_id text not null unique,
	body bytea not null,
	stored_at timestamptz not null default clock_timestamp(),
	-- Positions are not in commit order; readers that must miss nothing go by the transaction (see postgres-tail.ts).
	transaction xid8 not null default pg_current_xact_id()
);
create index stream_messages_transaction on stream_messages (transaction, position);
create index stream_messages_stored_at on stream_messages using brin (stored_at);

-- What no learner has acknowledged yet: one narrow row a message, deleted by the acknowledgement.
create table stream_unacknowledged (
	position bigint primary key,
	-- A learner holds it until then; long past where none does.
	claimed_until timestamptz not null default '-infinity',
	deliveries integer not null default 0
) with (
	fillfactor = 50,
	autovacuum_vacuum_scale_factor = 0.02,
	autovacuum_vacuum_threshold = 1000
);

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0002_stream.'; end $$;

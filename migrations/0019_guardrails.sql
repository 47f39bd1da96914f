-- Up Migration

-- What is told to the webhook, stored in the transaction of what it tells of, until it is delivered. A claim counts as an attempt and moves
-- `due_at` on by its lease, so what a killed process had in hand is due again by itself.
create table webhook_messages (
	id text collate "C" primary key,
	type text not null,
	at timestamptz not null,
	data jsonb not null,
	attempts integer not null default 0,
	due_at timestamptz not null default clock_timestamp(),
	-- Why the last attempt failed.
	failure text,
	-- Not sent again; kept to be looked up.
	given_up_at timestamptz
);
create index webhook_messages_due on webhook_messages (due_at) where given_up_at is null;

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0019_guardrails.'; end $$;

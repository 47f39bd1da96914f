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

-- What guardrails are judged by, apart from the report's rollups: a book counts, afresh from the definition row `since` on, what is known of
-- each decision once `within_ms` have passed since it. Its units and sums are those of all decisions up to `cursor` as they stood at
-- `revision`.
create table guard_books (
	id bigint generated always as identity primary key,
	experiment text collate "C" not null,
	since bigint not null,
	within_ms bigint not null,
	cursor uuid not null,
	revision bigint not null,
	-- What n and C are of, and how sums take them.
	metrics jsonb not null,
	counted_at timestamptz not null default clock_timestamp(),
	unique (experiment, since, within_ms)
) with (fillfactor = 50);

-- n and C of each of the book's metrics, whole numbers, C in steps of the grid.
create table guard_units (
	book bigint not null,
	unit text not null,
	side text not null,
	n bigint[] not null,
	c bigint[] not null,
	primary key (book, unit, side)
);
create index guard_units_unit on guard_units (unit);

-- Over the units that have an n of the metric: how many, Σn, ΣC, Σn², ΣnC, ΣC².
create table guard_sums (
	book bigint not null,
	side text not null,
	metric integer not null,
	units numeric not null,
	n numeric not null,
	c numeric not null,
	nn numeric not null,
	nc numeric not null,
	cc numeric not null,
	primary key (book, side, metric)
) with (fillfactor = 50);

-- Each guardrail acts once from a definition row on; what it saw then stays, as part of the audit.
create table guard_trips (
	experiment text collate "C" not null,
	since bigint not null,
	guardrail integer not null,
	metric text not null,
	action text not null,
	look jsonb not null,
	sentence text not null,
	at timestamptz not null default clock_timestamp(),
	primary key (experiment, since, guardrail)
);

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0019_guardrails.'; end $$;

-- Up Migration

-- One row per installation. `erasure_key` keys the hashes of tombstones and signal keys; it is carried by backups and never rotated.
create table installation (
	only_one boolean primary key default true check (only_one),
	erasure_key bytea not null,
	-- Ids before the horizon are refused: their partitions are gone.
	horizon uuid not null,
	stream_identity text,
	created_at timestamptz not null default clock_timestamp()
);

-- Lowest UUIDv7 of an instant.
create function segue_id_floor(at timestamptz) returns uuid
language sql immutable strict parallel safe as $$
	select (lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

insert into installation (erasure_key, horizon)
values (
	sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'utf8')),
	segue_id_floor(date_trunc('day', now() at time zone 'utc') at time zone 'utc' - interval '1 day')
);

create table experiments (
	key text collate "C" primary key,
	salt bytea not null,
	definition_id bigint,
	created_at timestamptz not null default clock_timestamp()
);

-- Immutable: what a decision was decided under, and the audit of who changed it. Every edit, start, pause and stop appends one.
create table experiment_definitions (
	id bigint generated always as identity primary key,
	experiment text collate "C" not null,
	version integer not null,
	state text not null check (state in ('draft', 'running', 'paused', 'stopped')),
	run integer not null,
	epoch integer not null,
	winner text,
	bucket_ms bigint not null,
	definition jsonb not null,
	action text not null,
	actor text not null,
	why text not null,
	created_at timestamptz not null default clock_timestamp()
);
create index experiment_definitions_experiment on experiment_definitions (experiment, id);

create sequence batch_ids;

-- Revision order is commit order: a batch takes its revisions in its last statement.
create table revisions (
	experiment text collate "C" primary key,
	revision bigint not null default 0
) with (fillfactor = 50);

create table revision_log (
	experiment text collate "C" not null,
	revision bigint not null,
	batch bigint not null,
	committed_at timestamptz not null default clock_timestamp(),
	primary key (experiment, revision)
);
create unique index revision_log_batch on revision_log (experiment, batch) include (revision);

-- Takes the revisions of the batch named by the transaction's settings. Rows are locked in key order, so batches cannot deadlock here.
create function segue_take_revisions() returns table (experiment text, revision bigint)
language plpgsql as $$
declare
	keys text[] := string_to_array(current_setting('segue.experiments'), ',');
	this_batch bigint := current_setting('segue.batch')::bigint;
begin
	perform 1 from revisions r where r.experiment = any (keys) order by r.experiment for update;
	return query
		with moved as (
			update revisions r set revision = r.revision + 1 where r.experiment = any (keys)
			returning r.experiment, r.revision
		), logged as (
			insert into revision_log (experiment, revision, batch) select m.experiment, m.revision, this_batch from moved m
		)
		select m.experiment, m.revision from moved m;
end
$$;

-- Narrow and mutable: placeholders, and what each decision counts for now. Ids go here first.
create table decision_states (
	id uuid not null,
	experiment text collate "C",
	version integer,
	arm text collate "C",
	exposed smallint not null default 0,
	reward double precision not null default 0,
	primary key (id)
) partition by range (id);

-- Wide and written once. x and means are int32 multiples of 2^-12, propensities float64, eligible int16 indexes; all little endian.
create table decisions (
	id uuid not null,
	experiment text collate "C" not null,
	version integer not null,
	definition_id bigint not null,
	unit text not null,
	session text,
	assigned_group text not null,
	arm text collate "C" not null,
	propensity double precision not null,
	distribution text not null,
	context jsonb not null,
	x bytea not null,
	eligible bytea not null,
	excluded jsonb not null,
	means bytea not null,
	propensities bytea not null,
	policy_propensities bytea,
	missing jsonb not null,
	degraded jsonb not null,
	decided_at timestamptz not null,
	origin text not null,
	parent uuid,
	trace_id text,
	request_id text,
	consent jsonb,
	privacy_version text,
	extra jsonb,
	revision bigint not null,
	reference_bucket bigint not null,
	core_version text not null,
	batch bigint not null,
	boot uuid not null,
	sequence bigint not null,
	stored_at timestamptz not null,
	primary key (id)
) partition by range (id);
create index decisions_unit on decisions (unit);

create table outcomes (
	decision_id uuid not null,
	event_id text collate "C" not null,
	unit text not null,
	session text,
	type text not null,
	item text,
	slot integer,
	at timestamptz not null,
	value double precision,
	properties jsonb,
	retracts text,
	body_hash bytea not null,
	-- Only where it is final; the others are derived at read.
	verdict text,
	batch bigint not null,
	boot uuid,
	sequence bigint,
	stored_at timestamptz not null,
	primary key (decision_id, event_id)
) partition by range (decision_id);

-- Events that name no decision.
create table signals (
	day date not null,
	event_key bytea not null,
	event_id text not null,
	unit text not null,
	session text,
	type text not null,
	item text,
	slot integer,
	at timestamptz not null,
	value double precision,
	properties jsonb,
	body_hash bytea not null,
	verdict text,
	batch bigint not null,
	boot uuid,
	sequence bigint,
	stored_at timestamptz not null,
	primary key (day, event_key)
) partition by range (day);
create index signals_unit on signals (unit);

-- Sums per bucket and shard, in chunks of at most 200 float64. Room on the page keeps every update HOT.
create table sums (
	experiment text collate "C" not null,
	version integer not null,
	arm text collate "C" not null,
	bucket bigint not null,
	shard smallint not null,
	chunk smallint not null,
	batch bigint not null,
	data bytea not null,
	primary key (experiment, version, arm, bucket, shard, chunk)
) with (fillfactor = 25, autovacuum_vacuum_scale_factor = 0.05);
alter table sums alter column data set storage plain;

-- requestId and sticky keys: written before the publish, erased with the unit.
create table requests (
	experiment text collate "C" not null,
	kind text not null check (kind in ('request', 'session', 'unit')),
	key text not null,
	decision_id uuid not null,
	request_hash bytea not null,
	unit text not null,
	answer jsonb not null,
	created_at timestamptz not null default clock_timestamp(),
	primary key (experiment, kind, key)
);

create table dead_letters (
	id bigint generated always as identity primary key,
	position bigint not null,
	item integer not null,
	stored_at timestamptz not null,
	subject text not null,
	reason text not null,
	payload bytea not null,
	received_at timestamptz not null default clock_timestamp(),
	redriven_at timestamptz,
	unique (position, item, stored_at)
);

create table tombstones (
	unit_key bytea primary key,
	erased_at timestamptz not null
);

-- Makes the partitions of whole UTC days from one to another, both included. No DEFAULT partition: see docs/adr.
create function segue_ensure_partitions(first_day date, last_day date) returns void
language plpgsql as $$
declare
	day date := first_day;
	parent text;
	suffix text;
	from_id uuid;
	to_id uuid;
begin
	while day <= last_day loop
		suffix := to_char(day, '_YYYYMMDD');
		from_id := segue_id_floor(day::timestamp at time zone 'utc');
		to_id := segue_id_floor((day + 1)::timestamp at time zone 'utc');
		foreach parent in array array['decision_states', 'decisions', 'outcomes'] loop
			if to_regclass(parent || suffix) is null then
				execute format('create table %I partition of %I for values from (%L) to (%L)', parent || suffix, parent, from_id, to_id);
			end if;
		end loop;
		if to_regclass('signals' || suffix) is null then
			execute format('create table %I partition of signals for values from (%L) to (%L)', 'signals' || suffix, day, day + 1);
		end if;
		day := day + 1;
	end loop;
end
$$;

-- Down Migration

do $$ begin raise exception 'Migrations go forward only: restore a backup to go back.'; end $$;

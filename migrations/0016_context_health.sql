-- Up Migration

-- The health of contexts: counts that nobody can be told from, folded from the log revision by revision.

-- How far each experiment's log is folded, and who is at it: two who fold the same would only waste one's work.
create table context_folds (
	experiment text collate "C" primary key,
	revision bigint not null default 0,
	claimed_by uuid,
	claimed_until timestamptz not null default '-infinity'
) with (fillfactor = 50);

-- A run's launch: null until it had enough decisions since the revision; then its bins and counts, which never change.
create table context_launches (
	experiment text collate "C" not null,
	version integer not null,
	run integer not null,
	since_revision bigint not null,
	decisions integer not null,
	launch jsonb,
	primary key (experiment, version, run)
);

-- Counts of the decisions of an hour (by their ids), but for those of the launch.
create table context_hours (
	experiment text collate "C" not null,
	version integer not null,
	run integer not null,
	hour timestamptz not null,
	counts jsonb not null,
	primary key (experiment, version, run, hour)
) with (fillfactor = 50);
create index context_hours_hour on context_hours (hour);

-- Alarms that were told of and stand, or did within the last hour.
create table context_alarms (
	experiment text collate "C" not null,
	version integer not null,
	run integer not null,
	feature text collate "C" not null,
	kind text not null,
	since timestamptz not null default clock_timestamp(),
	seen_at timestamptz not null default clock_timestamp(),
	primary key (experiment, version, run, feature, kind)
) with (fillfactor = 50);

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0016_context_health.'; end $$;

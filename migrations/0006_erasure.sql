-- Up Migration

-- Erasure goes by unit; most outcomes are found by their decision, but those parked before it came, or sent for another's, are not.
create index outcomes_unit on outcomes (unit);

-- What retention folded away, as it was when the rows were dropped: one whole vector of float64 (little endian) per arm and bucket.
-- Written once. Replay begins from it; the sums that deciders read lie in `sums` as before, merged into shard 17.
create table closed_sums (
	experiment text collate "C" not null,
	version integer not null,
	arm text collate "C" not null,
	bucket bigint not null,
	data bytea not null,
	primary key (experiment, version, arm, bucket)
);

-- The days that were dropped, and how many rows each had.
create table closed_days (
	day date primary key,
	decisions bigint not null,
	outcomes bigint not null,
	signals bigint not null,
	-- Ids that had outcomes, but whose decision never came.
	waiting bigint not null,
	dropped_at timestamptz not null default clock_timestamp()
);

-- Down Migration

do $$ begin raise exception 'Migrations go forward only: restore a backup to go back.'; end $$;

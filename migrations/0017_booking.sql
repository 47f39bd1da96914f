-- Up Migration

-- What reports are made of: rollups of the log, booked behind a watermark. Those of an experiment are the fold of its decisions up to the
-- cursor as they stood at the revision; whoever changes them changes this row first, in the same transaction.
create table bookings (
	experiment text collate "C" primary key,
	cursor uuid not null,
	revision bigint not null default 0,
	-- Cohorts of all hours (since 1970) before are closed, and of this one units up to the number of a row.
	closing_hour integer not null,
	closed_up_to bigint,
	-- The largest id that the log was seen to have: where the cursor is past it, there is nothing to book.
	newest_id uuid not null,
	erasures bigint not null default 0,
	decisions bigint not null default 0,
	unbooked bigint not null default 0,
	-- Units whose rows went with the days of the log: their part of the sums can be proved no more.
	forgotten bigint not null default 0,
	booked_at timestamptz,
	claimed_by uuid,
	claimed_until timestamptz not null default '-infinity'
) with (fillfactor = 50);

-- What each unit did in an epoch. The key begins with the unit, by which erasure finds it. Room on the page keeps updates HOT.
create table booking_units (
	id bigint generated always as identity,
	experiment text collate "C" not null,
	version integer not null,
	run integer not null,
	epoch integer not null,
	unit text collate "C" not null,
	-- Hours since 1970 of its first decision, from which its cohorts count.
	first_hour integer not null,
	-- Its latest decision: a unit of which the log holds nothing any more is forgotten.
	last_id uuid not null,
	entry text not null,
	primary key (unit, experiment, version, run, epoch)
) with (fillfactor = 70);
create index booking_units_first_hour on booking_units (experiment, first_hour, id);

-- Sums over units: six moments for each of the run's metrics, one after the other, exact.
create table booking_sums (
	experiment text collate "C" not null,
	version integer not null,
	run integer not null,
	epoch integer not null,
	slice text collate "C" not null,
	side text not null check (side in ('policy', 'control')),
	units bigint not null,
	moments numeric[] not null,
	covariate numeric[] not null,
	primary key (experiment, version, run, epoch, slice, side)
) with (fillfactor = 50);

-- The same over all units as they were once, for what is shown over time.
create table booking_looks (
	experiment text collate "C" not null,
	version integer not null,
	run integer not null,
	epoch integer not null,
	at timestamptz not null,
	side text not null,
	units bigint not null,
	first_in bigint not null,
	moments numeric[] not null,
	primary key (experiment, version, run, at, epoch, side)
);

create table booking_hours (
	experiment text collate "C" not null,
	version integer not null,
	run integer not null,
	epoch integer not null,
	hour timestamptz not null,
	"group" text not null,
	arm text collate "C" not null,
	decisions bigint not null,
	shown bigint not null,
	learned bigint not null,
	-- In steps of 2^-12.
	reward bigint not null,
	primary key (experiment, version, run, epoch, hour, "group", arm)
) with (fillfactor = 50);

-- What was drawn against what was to be expected; propensities in steps of 2^-40.
create table booking_draws (
	experiment text collate "C" not null,
	version integer not null,
	run integer not null,
	epoch integer not null,
	side text not null,
	arm text collate "C" not null,
	eligible bigint not null,
	drawn bigint not null,
	expected numeric not null,
	variance numeric not null,
	primary key (experiment, version, run, epoch, side, arm)
) with (fillfactor = 50);

-- What a run's columns mean, in order, and the sums of its scores.
create table booking_runs (
	experiment text collate "C" not null,
	version integer not null,
	run integer not null,
	metrics json not null,
	scores json not null,
	primary key (experiment, version, run)
) with (fillfactor = 50);

-- Weights of the scores from an id on, so that a row's score can be computed again.
create table booking_blocks (
	experiment text collate "C" not null,
	version integer not null,
	run integer not null,
	side text not null,
	first_id uuid not null,
	number integer not null,
	weights json not null,
	primary key (experiment, version, run, side, first_id)
);

-- Decisions that came, or changed, after those around them were booked: in no score.
create table booking_unbooked (
	decision_id uuid primary key,
	experiment text collate "C" not null
);

create function segue_add_numeric(a numeric[], b numeric[]) returns numeric[]
language sql immutable parallel safe as $$
	select coalesce(array_agg(coalesce(s.x, 0) + coalesce(s.y, 0) order by s.place), '{}')
	from unnest(a, b) with ordinality as s (x, y, place)
$$;

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0017_booking.'; end $$;

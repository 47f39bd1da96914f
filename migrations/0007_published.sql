-- Up Migration

-- How often a dead letter was published again; names the next publish, so that one repeated after a crash is known to the stream.
alter table dead_letters add column redrives integer not null default 0;
-- For the count of those that wait for somebody, and for the list.
create index dead_letters_waiting on dead_letters (id) where redriven_at is null;

-- The packs of each decider that learners have taken: as a rule one range from 1 on, and while several learners work a few more.
create table published (
	boot uuid primary key,
	taken int8multirange not null,
	last_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- Packs below others of the same decider that no learner has seen: underway, in that decider's spool, or lost.
create table published_gaps (
	id bigint generated always as identity primary key,
	boot uuid not null,
	-- What still is; shrinks as packs arrive after all.
	missing int8multirange not null,
	noticed_at timestamptz not null default clock_timestamp(),
	-- When it had lasted so long that somebody was told.
	alarmed_at timestamptz,
	closed_at timestamptz,
	recovered bigint not null default 0
);
create index published_gaps_open on published_gaps (boot) where closed_at is null;

create function segue_count_packs(packs int8multirange) returns bigint
language sql immutable strict parallel safe as $$
	select coalesce(sum(upper(r) - lower(r)), 0)::bigint from unnest(packs) as r
$$;

-- Highest position that the stream named in `stream_identity` was known to have: a lower one later means an older stream.
alter table installation add column stream_last_position bigint not null default 0;

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0007_published.'; end $$;

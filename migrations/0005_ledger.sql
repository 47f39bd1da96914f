-- Up Migration

-- How many deliveries have which verdict now. Written in the transaction of the batch, a learner's slot being its shard, so learners
-- do not wait for each other here; counts of one shard may be negative, their sum over shards is not. '-': of no experiment, or of one
-- that cannot be told. Room on the page keeps every update HOT.
create table verdict_counts (
	experiment text collate "C" not null,
	kind text collate "C" not null check (kind in ('decision', 'event')),
	verdict text collate "C" not null,
	shard smallint not null,
	count bigint not null,
	primary key (experiment, kind, verdict, shard)
) with (fillfactor = 25, autovacuum_vacuum_scale_factor = 0.05);

-- Adds to the counts of a shard, in the order of their key: two learners that share a slot cannot deadlock here.
create function segue_count_verdicts(this_shard integer, experiments text[], kinds text[], verdicts text[], changes bigint[])
returns void language sql as $$
	insert into verdict_counts as v (experiment, kind, verdict, shard, count)
	select r.experiment, r.kind, r.verdict, this_shard, r.change
	from unnest(experiments, kinds, verdicts, changes) as r (experiment, kind, verdict, change)
	order by r.experiment collate "C", r.kind collate "C", r.verdict collate "C"
	on conflict (experiment, kind, verdict, shard) do update set count = v.count + excluded.count
$$;

-- What was stored before there were counters counts once each, so that the sum is right from here on. Only a fold tells the verdict of
-- an event whose decision is there; it is taken for applied until something moves it.
insert into verdict_counts (experiment, kind, verdict, shard, count)
select d.experiment, 'decision', 'logged', -1, count(*) from decisions d group by d.experiment
union all
select coalesce(s.experiment, '-'), 'event', case when s.experiment is null then 'unknown decision (waiting)' else 'applied' end, -1, count(*)
from outcomes o join decision_states s on s.id = o.decision_id group by s.experiment
union all
select '-', 'event', 'signal', -1, count(*) from signals having count(*) > 0
union all
select '-', case l.subject when 'segue.log.pack' then 'decision' else 'event' end,
	case when split_part(l.reason, ':', 1) in ('future', 'before horizon', 'conflict') then split_part(l.reason, ':', 1) else 'malformed' end,
	-1, count(*)
from dead_letters l group by 2, 3;

-- Decisions that teach from the close of their window on (learn: windowClose) and whose window is not closed yet. The row comes with
-- the decision and goes with the closing, both under the lock of the decision's id.
create table open_windows (
	decision_id uuid primary key,
	ends_at timestamptz not null,
	-- When its events should all have come.
	due_at timestamptz not null
);
create index open_windows_due_at on open_windows (due_at);

-- So that a decision can show what was refused of its events.
alter table dead_letters add column decision_id uuid;
create index dead_letters_decision on dead_letters (decision_id) where decision_id is not null;

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0005_ledger.'; end $$;

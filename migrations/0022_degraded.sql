-- Up Migration

-- Decisions of policy and control that were served degraded, by what was; under the part '' all of them, each once.
create table booking_degraded (
	experiment text collate "C" not null,
	version integer not null,
	run integer not null,
	part text collate "C" not null,
	decisions bigint not null,
	primary key (experiment, version, run, part)
) with (fillfactor = 50);

-- Those of the log that are booked already. It reads the log once.
insert into booking_degraded (experiment, version, run, part, decisions)
select d.experiment, d.version, coalesce(e.booked_run, e.run), p.part, count(*)
from bookings b
join decisions d on d.experiment = b.experiment and d.id <= b.cursor
join experiment_definitions e on e.id = d.definition_id
cross join lateral (
	select '' as part union select n.part from jsonb_array_elements_text(d.degraded) as n (part)
) p
where d.assigned_group <> 'outside' and d.degraded <> '[]'::jsonb and b.revision > 0
and not exists (select from revision_log l where l.experiment = b.experiment and l.batch = d.batch and l.revision > b.revision)
group by d.experiment, d.version, coalesce(e.booked_run, e.run), p.part;

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0022_degraded.'; end $$;

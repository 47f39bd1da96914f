-- Up Migration

-- Of which analysis a row is: one more with each start of a draft or of what was stopped. What an analysis is judged by is fixed at its start.
-- Held: a guardrail holds policy units at control's distribution until a person resumes.
alter table experiment_definitions
	add column analysis integer,
	add column held boolean not null default false check (not held or state = 'running');

update experiment_definitions d set analysis = a.analysis
from (
	select s.id, count(*) filter (where s.action = 'start' and s.before in ('draft', 'stopped')) over (partition by s.experiment order by s.id) as analysis
	from (
		select e.id, e.experiment, e.action, lag(e.state) over (partition by e.experiment order by e.id) as before
		from experiment_definitions e
	) s
) a where a.id = d.id;

alter table experiment_definitions alter column analysis set not null, alter column held drop default;

-- The audit: erasure and retention touch no row of it, so nothing may.
create function segue_append_only() returns trigger
language plpgsql as $$
begin
	raise exception 'Rows of % are only added, never changed or deleted: they say who changed what.', tg_table_name
	using errcode = 'restrict_violation', hint = 'Make another change instead: it is written beside what was.';
end
$$;

create trigger experiment_definitions_append_only before update or delete or truncate on experiment_definitions
for each statement execute function segue_append_only();

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0018_lifecycle.'; end $$;

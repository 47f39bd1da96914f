-- Up Migration

-- Under `sticky: unit` a listener who came back left no row until now, so that nobody was ever counted as coming back. From here on visits
-- are told by rows of the log. Listeners whose first decision is older are in no returns: nobody knows whether they came back.
-- The instant stays known to the installation, for bookings that are begun, or made again, later.
alter table installation add column visits_since uuid not null default '00000000-0000-0000-0000-000000000000';
update installation set visits_since = segue_id_floor(clock_timestamp()) where exists (select from experiment_definitions);
alter table bookings add column visits_since uuid not null default '00000000-0000-0000-0000-000000000000';
update bookings b set visits_since = (select i.visits_since from installation i) where exists (
	select from experiment_definitions d where d.experiment = b.experiment and d.definition ->> 'sticky' = 'unit'
);

-- What was counted of them: columns 9 to 11 are return_1d, return_7d and return_28d, six moments each; of a covariate three sums come
-- first, and four of each metric.
update booking_sums s set
	moments = (
		select coalesce(array_agg(case when m.place between 55 and 72 then 0 else m.value end order by m.place), '{}')
		from unnest(s.moments) with ordinality as m (value, place)
	),
	covariate = (
		select coalesce(array_agg(case when m.place between 40 and 51 then 0 else m.value end order by m.place), '{}')
		from unnest(s.covariate) with ordinality as m (value, place)
	)
from bookings b where b.experiment = s.experiment and b.visits_since <> '00000000-0000-0000-0000-000000000000';
update booking_looks l set moments = (
	select coalesce(array_agg(case when m.place between 55 and 72 then 0 else m.value end order by m.place), '{}')
	from unnest(l.moments) with ordinality as m (value, place)
)
from bookings b where b.experiment = l.experiment and b.visits_since <> '00000000-0000-0000-0000-000000000000';

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0025_visits.'; end $$;

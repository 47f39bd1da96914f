-- Up Migration

-- Hours since 1970 of the first decision that was ever booked; null before there is one. What happened to booked decisions is looked for
-- in no day of the log before it.
alter table bookings add column first_hour integer;
update bookings b set first_hour = (
	select (extract(epoch from min(d.day)) / 3600)::int from booking_days d where d.experiment = b.experiment
);

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0026_first_hour.'; end $$;

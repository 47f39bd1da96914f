-- Up Migration

-- From this hour (since 1970) on a cohort closes only where the experiment still ran when its time was over. Those before were closed by
-- the clock alone, and stay so: what was counted can be counted again.
alter table bookings add column turns_since integer not null default 0;
update bookings set turns_since = closing_hour + 1;

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0021_cohorts.'; end $$;

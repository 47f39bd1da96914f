-- Up Migration

-- From this hour (since 1970) on nobody is back in an hour that the experiment did not run all through: paused, or held by a guardrail.
-- Hours before count as they did, so that what was counted can be counted again.
alter table bookings add column holds_since integer not null default 0;
update bookings set holds_since = closing_hour;

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0027_holds.'; end $$;

-- Up Migration

-- Deciders ask every second for units that were erased since.
create index tombstones_erased_at on tombstones (erased_at);

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0008_tombstones.'; end $$;

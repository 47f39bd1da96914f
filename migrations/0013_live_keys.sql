-- Up Migration

-- What deciders' live windows know the erased unit by, so that all of them forget it: 64 bits of a keyed hash. Null in rows that are
-- older than this column.
alter table tombstones add column live_key bytea;

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0013_live_keys.'; end $$;

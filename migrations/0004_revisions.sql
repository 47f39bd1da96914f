-- Up Migration

-- What a revision stored is found by its batch. Rows of a batch lie together and their numbers grow, so both indexes grow at their
-- end and keep one entry a batch and many rows.
create index decisions_batch on decisions (batch);
create index outcomes_batch on outcomes (batch);

-- Oldest revision under which nothing was erased or dropped since: decisions made with an older one cannot be derived again.
alter table revisions add column floor bigint not null default 0;

-- Down Migration

do $$ begin raise exception 'Migrations go forward only: restore a backup to go back.'; end $$;

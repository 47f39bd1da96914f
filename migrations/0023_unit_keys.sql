-- Up Migration

-- A digest for each key that units were ever named by, so that a process with another secret under the same id is found out before it
-- names anybody. Nothing can be named by it, nor the secret told.
create table unit_keys (
	id text collate "C" primary key,
	fingerprint bytea not null check (octet_length(fingerprint) = 32),
	since timestamptz not null default now()
);

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0023_unit_keys.'; end $$;

-- Up Migration

-- Features of a unit that change seldom, as they were last put: values by name, only such as a definition declares.
create table profiles (
	unit text collate "C" primary key,
	values jsonb not null,
	updated_at timestamptz not null
);
-- Deciders ask twice a second for what was put since.
create index profiles_updated_at on profiles (updated_at);

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0011_profiles.'; end $$;

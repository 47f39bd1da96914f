-- Up Migration

-- What a unit allows, as it was last put. Purposes are what privacy files declare.
create table consents (
	unit text collate "C" primary key,
	-- {purpose: true (given) or false (refused)}; one that is not there was not answered.
	answers jsonb not null,
	-- As it was put, also where no file declares it.
	jurisdiction text,
	-- Years that the unit has reached, one of those that rules ask for.
	age_at_least smallint,
	-- When the last change of any of it was put: what is counted under a consent begins anew.
	since timestamptz not null,
	updated_at timestamptz not null
);
-- Deciders ask twice a second for what was put since.
create index consents_updated_at on consents (updated_at);

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0012_consents.'; end $$;

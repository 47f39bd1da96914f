-- Up Migration

-- Nothing was written to it before this migration, so columns come and go freely.
alter table requests
	drop column created_at,
	-- As text, so that who asks again gets the same bytes; jsonb would sort the keys.
	alter column answer type json,
	-- Null for sticky keys, under which bodies may differ.
	alter column request_hash drop not null,
	-- The decision's row as it is logged, for an ask that comes before the log has it; null where the log had it already.
	add column row bytea,
	-- The decision that this one took the place of, its arm being no longer eligible.
	add column replaced uuid,
	-- From then on the key is free again.
	add column expires_at timestamptz not null;
create index requests_expires_at on requests (expires_at);
-- Erasure goes by unit.
create index requests_unit on requests (unit);

-- Whether the log's database has the decision. A function, so that a statement that asks for few need not plan for every partition.
create function segue_is_logged(decision uuid) returns boolean
language plpgsql stable as $$
begin
	return exists (select 1 from decisions d where d.id = decision);
end
$$;

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0003_requests.'; end $$;

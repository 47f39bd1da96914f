-- Up Migration

-- What each decision counts for after a batch. Many ids at once are found by the index and joined to their new values by a hash: as a
-- statement of its own the planner may take the whole range between the least id and the greatest and compare every row of it with every
-- new value. The settings hold inside the function alone.
create function segue_update_states(ids uuid[], experiments text[], versions integer[], arms text[], exposures smallint[], rewards double precision[])
returns void language plpgsql
set enable_hashjoin = on
set enable_nestloop = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
	-- Bounds let the executor pass over the partitions outside.
	least uuid := ids[1];
	greatest uuid := ids[cardinality(ids)];
begin
	update decision_states s
	set experiment = r.experiment, version = r.version, arm = r.arm, exposed = r.exposed, reward = r.reward
	from unnest(ids, experiments, versions, arms, exposures, rewards) as r (id, experiment, version, arm, exposed, reward)
	where s.id = any (ids) and s.id between least and greatest and s.id = r.id;
end
$$;

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0009_state_updates.'; end $$;

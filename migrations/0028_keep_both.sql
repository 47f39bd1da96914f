-- Up Migration

alter table requests
	-- Of a decision under a sticky key: its answer, in which clients may have named anything, is never parsed here.
	add column arm text,
	-- With which a decision that stood for a session or unit went out under a requestId, `repeated`; null where it was drawn for that.
	add column payload json,
	-- The decision that `arm` and `payload` are about. Deciders before this migration, which may still run beside it, keep another one
	-- in the same row and leave these columns as they were: then they say nothing.
	add column about uuid;

-- Those deciders keep the arm in the answer alone. It is read there as text, from the beginning on, where only names stand that need no
-- escape: nothing that a client sent comes before it.
create function segue_kept_arm(kept requests) returns text
language sql immutable as $$
	select case when kept.about = kept.decision_id then kept.arm else
		substring(kept.answer::text from '^{"decisionId":"[^"]*","experiment":"[^"]*","version":[0-9]+,"arm":"([^"]+)"') end
$$;

-- An ask for a decision under a client's requestId, the session or unit of a sticky experiment, or both.
create type segue_ask as (
	experiment text,
	unit text,
	-- What is kept where nothing stands; null to look only.
	decision_id uuid,
	arm text,
	answer json,
	-- What is kept under the sticky key instead of `answer`; null where it is the same.
	sticky_answer json,
	packed bytea,
	request_key text,
	request_hash bytea,
	request_span_ms float8,
	sticky_kind text,
	sticky_key text,
	sticky_span_ms float8,
	-- Of each arm that may stand under the sticky key, what it has for this request now.
	arms json
);

create function segue_standing(ask segue_ask) returns setof requests
language sql stable as $$
	select r.* from requests r
	where r.experiment = ask.experiment and r.kind = 'request' and r.key = ask.request_key and r.expires_at > now()
	union all
	select r.* from requests r
	where r.experiment = ask.experiment and r.kind = ask.sticky_kind and r.key = ask.sticky_key and r.expires_at > now()
		and ask.arms -> segue_kept_arm(r) is not null
$$;

-- What stands for each ask that something stands for, by its place from 1: under its requestId, else under its sticky key, whose
-- decision is then kept under the requestId too. For the others their own decision stands from now on, under both keys or none.
--
-- What stands is found without a lock or a write. Only asks that have something to keep lock their keys, all before the first is looked
-- at again, in an order that all statements share: so nobody keeps a key in between and no two statements wait for each other. Keys share
-- 1,024 locks, since one for each would fill the server's table of locks. Then keys are kept in their own order, as deciders before this
-- migration keep them, which take no such locks; of several asks under one sticky key the first in `asks` is kept.
create function segue_keep_decisions(asks segue_ask[])
returns table (place integer, kind text, decision_id uuid, request_hash bytea, answer json, payload json, "row" bytea)
language plpgsql as $$
#variable_conflict use_column
declare
	ask segue_ask;
	standing requests;
	i integer;
	stripe integer;
	unlocked boolean;
	to_look_at integer[] := array(select generate_subscripts(asks, 1));
	to_keep integer[] := '{}';
	names_again boolean;
begin
	foreach unlocked in array array[true, false] loop
		foreach i in array to_look_at loop
			ask := asks[i];
			select s.* into standing from segue_standing(ask) s order by s.kind = 'request' desc limit 1;
			names_again := ask.request_key is not null and standing.kind is distinct from 'request';
			if ask.decision_id is not null and (standing.key is null or names_again) then
				if unlocked then
					to_keep := to_keep || i;
					continue;
				end if;
				if ask.sticky_kind is not null and standing.key is null then
					insert into requests as r (experiment, kind, key, unit, decision_id, about, arm, answer, row, expires_at)
					values (ask.experiment, ask.sticky_kind, ask.sticky_key, ask.unit, ask.decision_id, ask.decision_id, ask.arm,
						coalesce(ask.sticky_answer, ask.answer), ask.packed, now() + ask.sticky_span_ms * interval '1 millisecond')
					on conflict (experiment, kind, key) do update set unit = excluded.unit, decision_id = excluded.decision_id,
						about = excluded.about, arm = excluded.arm, answer = excluded.answer, row = excluded.row,
						expires_at = excluded.expires_at,
						replaced = case when r.expires_at > now() then r.decision_id end
					where r.expires_at <= now() or ask.arms -> segue_kept_arm(r) is null;
					if not found then
						raise 'A key was kept beside its lock.' using errcode = 'serialization_failure';
					end if;
				end if;
				if names_again then
					insert into requests as r (experiment, kind, key, unit, request_hash, decision_id, about, answer, payload, row, expires_at)
					values (ask.experiment, 'request', ask.request_key, ask.unit, ask.request_hash,
						coalesce(standing.decision_id, ask.decision_id), coalesce(standing.decision_id, ask.decision_id),
						case when standing.key is null then ask.answer else standing.answer end,
						case when standing.key is not null then ask.arms -> segue_kept_arm(standing) end,
						case when standing.key is null then ask.packed else standing.row end,
						now() + ask.request_span_ms * interval '1 millisecond')
					on conflict (experiment, kind, key) do update set unit = excluded.unit, request_hash = excluded.request_hash,
						decision_id = excluded.decision_id, about = excluded.about, answer = excluded.answer, payload = excluded.payload,
						row = excluded.row, expires_at = excluded.expires_at
					where r.expires_at <= now();
					if not found then
						raise 'A key was kept beside its lock.' using errcode = 'serialization_failure';
					end if;
				end if;
			end if;
			continue when standing.key is null;
			place := i;
			kind := standing.kind;
			decision_id := standing.decision_id;
			request_hash := standing.request_hash;
			answer := standing.answer;
			payload := case when standing.about = standing.decision_id then standing.payload end;
			"row" := case when segue_is_logged(standing.decision_id) then null else standing.row end;
			return next;
		end loop;
		exit when not unlocked or to_keep = '{}';
		to_look_at := array(
			select n.i from unnest(to_keep) as n (i), lateral (select (asks[n.i]).*) as a
			order by a.experiment, coalesce(a.sticky_kind, 'request'), coalesce(a.sticky_key, a.request_key), n.i
		);
		for stripe in
			select distinct hashtext(k.name) & 1023
			from unnest(to_keep) as n (i), lateral (values (asks[n.i].request_key), (asks[n.i].sticky_key)) as k (name)
			where k.name is not null order by 1
		loop
			perform pg_advisory_xact_lock(7306, stripe);
		end loop;
	end loop;
end
$$;

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0028_keep_both.'; end $$;

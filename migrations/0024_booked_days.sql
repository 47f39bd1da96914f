-- Up Migration

-- Hours added up by UTC day, for experiments of many arms: a thousand of them have two thousand rows an hour, and no report can show, or add
-- up while somebody waits, what a month of them is.
create table booking_days (
	experiment text collate "C" not null,
	version integer not null,
	run integer not null,
	epoch integer not null,
	day timestamptz not null,
	"group" text not null,
	arm text collate "C" not null,
	decisions bigint not null,
	shown bigint not null,
	learned bigint not null,
	-- In steps of 2^-12.
	reward bigint not null,
	primary key (experiment, version, run, epoch, day, "group", arm)
) with (fillfactor = 50);

insert into booking_days (experiment, version, run, epoch, day, "group", arm, decisions, shown, learned, reward)
select h.experiment, h.version, h.run, h.epoch, date_trunc('day', h.hour, 'UTC'), h."group", h.arm,
	sum(h.decisions), sum(h.shown), sum(h.learned), sum(h.reward)
from booking_hours h group by 1, 2, 3, 4, 5, 6, 7;

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0024_booked_days.'; end $$;

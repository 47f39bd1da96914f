-- Up Migration

-- Messages stored before it may have been dropped, by the stream's clock. stream_whole_since also tells of streams that were lost.
alter table installation add column stream_dropped_before timestamptz;

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0029_stream_dropped_before.'; end $$;

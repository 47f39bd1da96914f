-- Up Migration

-- From when on the stream has every message: those stored before it may have been dropped. Null: none ever was.
alter table installation add column stream_whole_since timestamptz;
-- An installation that has run before this column dropped what it did not note.
update installation set stream_whole_since = clock_timestamp() where stream_identity is not null or exists (select 1 from published);

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0014_stream_whole_since.'; end $$;

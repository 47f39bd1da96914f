-- Up Migration

-- The run whose rollups the decisions of a row are booked in: that of its analysis's start, so that a listener who comes before a pause and
-- after it is one observation. Null in rows that were made before this column, which go by their own run: what was booked stays as it was,
-- and the run that goes on now is the one that later resumes are booked in.
alter table experiment_definitions add column booked_run integer;

-- Down Migration

do $$ begin raise exception 'Segue migrates forward only: restore a backup taken before 0020_booked_run.'; end $$;

-- What clients of pg_cron see: its schema, tables and functions. The jobs are run by the sandbox (postgres/cron.py), as
-- pg_cron's own launcher would. Replicated and restored like any table.

-- Without pg_cron among shared_preload_libraries there is no such parameter, and PostgreSQL says so.
DO $check$
BEGIN
    IF current_database() <> current_setting('cron.database_name') THEN
        RAISE EXCEPTION 'can only create extension in database %', current_setting('cron.database_name')
            USING DETAIL = 'Jobs must be scheduled from the database configured in cron.database_name, since the '
                           'pg_cron background worker reads job descriptions from this database.';
    END IF;
END
$check$;

CREATE SCHEMA cron;
CREATE SEQUENCE cron.jobid_seq;
CREATE SEQUENCE cron.runid_seq;

CREATE TABLE cron.job (
    jobid bigint PRIMARY KEY DEFAULT nextval('cron.jobid_seq'),
    schedule text NOT NULL,
    command text NOT NULL,
    nodename text NOT NULL DEFAULT 'localhost',
    nodeport integer NOT NULL DEFAULT inet_server_port(),
    database text NOT NULL DEFAULT current_database(),
    username text NOT NULL DEFAULT current_user,
    active boolean NOT NULL DEFAULT true,
    jobname text,
    CONSTRAINT jobname_username_uniq UNIQUE (jobname, username)
);

CREATE TABLE cron.job_run_details (
    jobid bigint,
    runid bigint PRIMARY KEY DEFAULT nextval('cron.runid_seq'),
    job_pid integer,
    database text,
    username text,
    command text,
    status text,
    return_message text,
    start_time timestamptz,
    end_time timestamptz
);

ALTER TABLE cron.job ENABLE ROW LEVEL SECURITY;
CREATE POLICY cron_job_policy ON cron.job USING (username = current_user);
ALTER TABLE cron.job_run_details ENABLE ROW LEVEL SECURITY;
CREATE POLICY cron_job_run_details_policy ON cron.job_run_details USING (username = current_user);
-- The functions run as whoever calls them, so that a job is that one's; the policy keeps others' jobs out of reach.
GRANT SELECT, INSERT, UPDATE, DELETE ON cron.job TO public;
GRANT SELECT, DELETE ON cron.job_run_details TO public;
GRANT USAGE ON SEQUENCE cron.jobid_seq TO public;
GRANT USAGE ON SCHEMA cron TO rds_superuser WITH GRANT OPTION;

CREATE FUNCTION cron.schedule_in_database(
    job_name text, schedule text, command text, database text, username text DEFAULT NULL, active boolean DEFAULT true
) RETURNS bigint LANGUAGE plpgsql AS $function$
DECLARE
    number bigint;
BEGIN
    IF schedule_in_database.schedule !~ '^\s*([1-9]|[1-5]\d) seconds?\s*$'
        AND schedule_in_database.schedule !~ '^\s*(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|([\d*/,a-zA-Z$-]+\s+){4}[\d*/,a-zA-Z$-]+)\s*$'
    THEN
        RAISE EXCEPTION 'invalid schedule: %', schedule_in_database.schedule;
    END IF;
    INSERT INTO cron.job AS own (jobname, schedule, command, database, username, active)
        VALUES (job_name, schedule_in_database.schedule, schedule_in_database.command, schedule_in_database.database,
                coalesce(schedule_in_database.username, current_user), schedule_in_database.active)
        ON CONFLICT ON CONSTRAINT jobname_username_uniq DO UPDATE
            SET schedule = excluded.schedule, command = excluded.command, database = excluded.database,
                active = excluded.active
        RETURNING jobid INTO number;
    RETURN number;
END
$function$;

CREATE FUNCTION cron.schedule(job_name text, schedule text, command text) RETURNS bigint
LANGUAGE sql AS $function$
    SELECT cron.schedule_in_database(job_name, schedule, command, current_database()::text)
$function$;

CREATE FUNCTION cron.schedule(schedule text, command text) RETURNS bigint
LANGUAGE sql AS $function$
    SELECT cron.schedule_in_database(NULL, schedule, command, current_database()::text)
$function$;

CREATE FUNCTION cron.unschedule(job_id bigint) RETURNS boolean LANGUAGE plpgsql AS $function$
BEGIN
    DELETE FROM cron.job WHERE jobid = job_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'could not find valid entry for job ''%''', job_id;
    END IF;
    RETURN true;
END
$function$;

CREATE FUNCTION cron.unschedule(job_name text) RETURNS boolean LANGUAGE plpgsql AS $function$
BEGIN
    DELETE FROM cron.job WHERE jobname = job_name AND username = current_user;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'could not find valid entry for job ''%''', job_name;
    END IF;
    RETURN true;
END
$function$;

CREATE FUNCTION cron.alter_job(
    job_id bigint, schedule text DEFAULT NULL, command text DEFAULT NULL, database text DEFAULT NULL,
    username text DEFAULT NULL, active boolean DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $function$
BEGIN
    UPDATE cron.job AS own
        SET schedule = coalesce(alter_job.schedule, own.schedule), command = coalesce(alter_job.command, own.command),
            database = coalesce(alter_job.database, own.database),
            username = coalesce(alter_job.username, own.username), active = coalesce(alter_job.active, own.active)
        WHERE own.jobid = job_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'Job % does not exist or you don''t own it', job_id;
    END IF;
END
$function$;

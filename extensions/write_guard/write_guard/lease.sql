-- Copyright (c) 2026 PipeOps Platform contributors
-- GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later

-- The write lease of a database, kept in the maintenance database: the one that it closes runs no jobs while it is closed.
-- It can be run again at any time, by the master user.
--
-- The database may take writes until ``seconds`` after the latest proof that nobody else leads. There are two kinds,
-- and the time of each is this server's own, taken before the question was asked, so that no other clock counts:
--   named_at     the guard asked this server for the time, then read the witness, and that named this side
--   followed_at  this server wrote a mark, and the replica of the other side has since confirmed a later position
-- Proofs count on the timeline only on which the lease was given: a copy that is promoted or restored has none.

CREATE EXTENSION IF NOT EXISTS pg_cron;
CREATE SCHEMA IF NOT EXISTS pipeops;

CREATE TABLE IF NOT EXISTS pipeops.write_lease (
    the_one boolean PRIMARY KEY DEFAULT true CHECK (the_one),
    database text NOT NULL,
    seconds integer NOT NULL CHECK (seconds > 0),
    leader text NOT NULL,
    epoch bigint NOT NULL,
    timeline text NOT NULL,
    named_at timestamptz NOT NULL DEFAULT '-infinity',
    follower text NOT NULL DEFAULT '',
    followed_at timestamptz NOT NULL DEFAULT '-infinity',
    mark_at timestamptz,
    mark_position pg_lsn,
    closed boolean NOT NULL DEFAULT false,
    enabled boolean NOT NULL DEFAULT true
) WITH (fillfactor = 20);

-- The timeline that this server writes on; a promotion and a restore to a point in time begin another one.
CREATE OR REPLACE FUNCTION pipeops.present_timeline() RETURNS text
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $function$
    SELECT left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
$function$;

-- When the proofs of a lease run out; without a proof on this timeline they have.
CREATE OR REPLACE FUNCTION pipeops.valid_until(lease pipeops.write_lease) RETURNS timestamptz
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $function$
    SELECT CASE WHEN lease.timeline = pipeops.present_timeline()
                THEN greatest(lease.named_at, lease.followed_at) + make_interval(secs => lease.seconds)
                ELSE '-infinity'::timestamptz END
$function$;

-- Takes the replica's confirmation of the latest mark as a proof, and sets the next mark. One that is not confirmed
-- stays, so that a replica that needs a while for each position proves something, too.
CREATE OR REPLACE FUNCTION pipeops.follow(lease pipeops.write_lease) RETURNS pipeops.write_lease
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    moment timestamptz := clock_timestamp();
    -- After the moment: what lies behind this position was written later.
    position_now pg_lsn := pg_current_wal_insert_lsn();
    confirmed pg_lsn;
BEGIN
    IF lease.follower = '' OR lease.timeline <> pipeops.present_timeline() THEN
        RETURN lease;
    END IF;
    SELECT sender.flush_lsn INTO confirmed
        FROM pg_replication_slots AS slot JOIN pg_stat_replication AS sender ON sender.pid = slot.active_pid
        WHERE slot.slot_name = lease.follower AND sender.state = 'streaming';
    IF confirmed > lease.mark_position THEN
        lease.followed_at := lease.mark_at;
    END IF;
    IF lease.mark_position IS NULL OR confirmed > lease.mark_position THEN
        lease.mark_at := moment;
        lease.mark_position := position_now;
    END IF;
    RETURN lease;
END
$function$;

-- Closes the database as the module postgres_access does: no connections, not even its owner's, and no sessions; what
-- RDS itself does goes on. A session that began while the first call was not committed is ended by the next one.
CREATE OR REPLACE FUNCTION pipeops.close_database(name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    IF EXISTS (SELECT FROM pg_database WHERE datname = name AND datallowconn) THEN
        EXECUTE format('ALTER DATABASE %I WITH ALLOW_CONNECTIONS false', name);
    END IF;
    PERFORM pg_terminate_backend(session.pid)
        FROM pg_stat_activity AS session JOIN pg_roles AS role ON role.oid = session.usesysid
        WHERE session.datname = name AND session.pid <> pg_backend_pid() AND NOT role.rolsuper;
END
$function$;

-- Lets the database be open or closed, as the lease has it; run every second. Returns whether the lease holds, null on
-- a standby and without a lease. What a person or a move has closed stays closed.
CREATE OR REPLACE FUNCTION pipeops.enforce_lease() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    before pipeops.write_lease;
    own pipeops.write_lease;
    holds boolean;
    is_open boolean;
BEGIN
    IF pg_is_in_recovery() THEN
        RETURN NULL;
    END IF;
    SELECT * INTO before FROM pipeops.write_lease FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    own := pipeops.follow(before);
    holds := NOT own.enabled OR clock_timestamp() < pipeops.valid_until(own);
    SELECT datallowconn INTO is_open FROM pg_database WHERE datname = own.database;
    IF NOT holds THEN
        own.closed := own.closed OR is_open;
        PERFORM pipeops.close_database(own.database);
    ELSIF own.closed THEN
        IF NOT is_open THEN
            EXECUTE format('ALTER DATABASE %I WITH ALLOW_CONNECTIONS true', own.database);
        END IF;
        own.closed := false;
    END IF;
    IF own IS DISTINCT FROM before THEN
        UPDATE pipeops.write_lease
            SET followed_at = own.followed_at, mark_at = own.mark_at, mark_position = own.mark_position,
                closed = own.closed;
    END IF;
    RETURN holds;
END
$function$;

-- Gives the lease to this server, or prolongs it; returns until when it holds. ``asked_at`` is this server's time from
-- before the witness was read. ``replica`` is the slot of the other side's replica, null to leave it as it is. What an
-- earlier epoch says is refused.
CREATE OR REPLACE FUNCTION pipeops.extend_lease(
    database_name text, for_seconds integer, named text, in_epoch bigint, asked_at timestamptz,
    replica text DEFAULT NULL
) RETURNS timestamptz
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    own pipeops.write_lease;
    fresh boolean;
BEGIN
    INSERT INTO pipeops.write_lease (database, seconds, leader, epoch, timeline)
        VALUES (database_name, for_seconds, named, in_epoch, pipeops.present_timeline())
        ON CONFLICT DO NOTHING;
    SELECT * INTO own FROM pipeops.write_lease FOR UPDATE;
    IF (own.epoch, own.leader) <> (in_epoch, named) AND own.epoch >= in_epoch THEN
        RAISE EXCEPTION 'the lease is that of % in epoch %, so % is too late with epoch %',
            own.leader, own.epoch, named, in_epoch;
    END IF;
    fresh := own.timeline <> pipeops.present_timeline() OR own.follower <> coalesce(replica, own.follower);
    UPDATE pipeops.write_lease
        SET database = database_name, seconds = for_seconds, leader = named, epoch = in_epoch,
            named_at = CASE WHEN own.timeline <> pipeops.present_timeline() THEN asked_at
                            ELSE greatest(own.named_at, asked_at) END,
            timeline = pipeops.present_timeline(),
            follower = coalesce(replica, own.follower),
            followed_at = CASE WHEN fresh THEN '-infinity' ELSE own.followed_at END,
            mark_at = CASE WHEN fresh THEN NULL ELSE own.mark_at END,
            mark_position = CASE WHEN fresh THEN NULL ELSE own.mark_position END;
    PERFORM pipeops.enforce_lease();
    SELECT * INTO own FROM pipeops.write_lease;
    RETURN pipeops.valid_until(own);
END
$function$;

-- Takes the lease from this server, because the witness names somebody else: no proof counts until it is given again.
CREATE OR REPLACE FUNCTION pipeops.end_lease(named text, in_epoch bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    UPDATE pipeops.write_lease
        SET leader = named, epoch = in_epoch, timeline = '', named_at = '-infinity', followed_at = '-infinity',
            mark_at = NULL, mark_position = NULL
        WHERE epoch < in_epoch;
    RETURN pipeops.enforce_lease();
END
$function$;

-- By hand: the lease closes nothing any more, and what it closed is open. It is on again with resume_lease().
CREATE OR REPLACE FUNCTION pipeops.release_lease() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    UPDATE pipeops.write_lease SET enabled = false;
    RETURN pipeops.enforce_lease();
END
$function$;

CREATE OR REPLACE FUNCTION pipeops.resume_lease() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    UPDATE pipeops.write_lease SET enabled = true;
    RETURN pipeops.enforce_lease();
END
$function$;

SELECT cron.schedule('pipeops-write-lease', '1 seconds', 'SELECT pipeops.enforce_lease()');

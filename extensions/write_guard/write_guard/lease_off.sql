-- Copyright (c) 2026 PipeOps Platform contributors
-- GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later

-- Removes the write lease, and opens what it closed. The extension stays: others may use it.
SELECT cron.unschedule('pipeops-write-lease');
SELECT pipeops.release_lease();
DROP TABLE pipeops.write_lease CASCADE;
DROP SCHEMA pipeops CASCADE;

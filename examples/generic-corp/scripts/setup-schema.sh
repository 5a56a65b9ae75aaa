#!/bin/sh
# Creates or updates Temporal's two databases; safe to run again.
set -eu

for store in temporal visibility; do
    db=temporal
    [ "$store" = visibility ] && db=temporal_visibility
    tool="temporal-sql-tool --plugin $DB --ep $POSTGRES_SEEDS -p $DB_PORT -u $POSTGRES_USER --db $db"
    $tool create
    $tool setup-schema -v 0.0 || true
    $tool update-schema -d "/etc/temporal/schema/postgresql/v12/$store/versioned"
done

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Starts the engine and the SSH daemon of a test host; the host lives as long as the SSH daemon.
# Tests stop the engine (kill of /var/run/docker.pid) and start it again with start-engine.
set -eu

printf '%s\n' "$AUTHORIZED_KEY" > /root/.ssh/authorized_keys
chmod 600 /root/.ssh/authorized_keys
ssh-keygen -A
rm -f /var/run/docker.pid
start-engine
exec /usr/sbin/sshd -D -e -o PasswordAuthentication=no

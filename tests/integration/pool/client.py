# SPDX-License-Identifier: GPL-3.0-or-later
"""An application with one connection that it keeps: it counts, and comes back when it is cut off."""

from __future__ import annotations

import os
import time

import psycopg

while True:
    try:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            while True:
                connection.execute("UPDATE counter SET n = n + 1")
                time.sleep(0.2)
    except psycopg.Error as error:
        print(error, flush=True)
        time.sleep(0.2)

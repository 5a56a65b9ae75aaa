# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of hiding secrets."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.masking import MASK, mask_text

CANARY = "c4n4ry-s3cr3t"

HIDDEN = [
    f"      POSTGRES_PASSWORD: {CANARY}",
    f"      POSTGRES_PASSWORD: '{CANARY}'",
    f'      "POSTGRES_PASSWORD": "{CANARY}"',
    f"      - POSTGRES_PASSWORD={CANARY}",
    f'      - "POSTGRES_PASSWORD={CANARY}"',
    f"      POSTGRES_PWD: {CANARY}   # the old one",
    f"    environment: {{PGPASSWORD: {CANARY}, PGUSER: app}}",
    f"    environment: {{A: b, PGPASSWORD: '{CANARY}', PGUSER: app}}",
    f"      DATABASE_URL: postgresql://app:{CANARY}@postgres:5432/app",
    f"      - REDIS_URL=redis://:{CANARY}@redis:6379/0",
    f"    command: redis-server --requirepass {CANARY} --appendonly yes",
    f'    command: ["redis-server", "--requirepass", "{CANARY}"]',
    f'      test: ["CMD-SHELL", "redis-cli -a {CANARY} ping"]',
    f"      API_KEY: {CANARY}",
    f"      JWT_SECRET: ${{JWT_SECRET:-{CANARY}}}",
    f"      STRIPE_TOKEN: sk,{CANARY}",
    f"      password: {CANARY} with spaces {CANARY}",
    f"-      POSTGRES_PASSWORD: {CANARY}",
    f"+      - POSTGRES_PASSWORD={CANARY}",
    f"      TLS_PRIVATE_KEY: |\n        -----BEGIN-----\n        {CANARY}\n\n        {CANARY}\n      NEXT: 1",
    f"      DB_PASSWORD: >-\n        {CANARY}",
    f"password authentication failed: password={CANARY}",
    f"Authorization: Bearer {CANARY}",
    f'      test: ["CMD", "redis-cli", "-a", "{CANARY}", "ping"]',
    f"    command:\n      - redis-server\n      - --requirepass\n      - {CANARY}\n      - --appendonly",
    f"      PASSWORD:\n        {CANARY}\n      NEXT: 1",
    f"      PASSWORD: first-part\n        {CANARY}\n      NEXT: 1",
    f"      REDIS_AUTH: {CANARY}",
    f"      JWT_SIGNING_KEY: {CANARY}",
    f"      SLACK_WEBHOOK_URL: https://chat.example/T0/{CANARY}",
    f"      NOTIFY: https://hooks.slack.example/services/{CANARY}",
    f"      DATABASE_URL: postgres://u:a@{CANARY}@h/d",
    f"    command: curl -u user:{CANARY} http://localhost",
    f"    command: mysqladmin -p{CANARY} ping",
    f"      DB_PASSWORD: {CANARY}\n    command: psql --user x {CANARY}",
]

SHOWN = [
    "      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD}",
    "      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it in .env}",
    "      - POSTGRES_PASSWORD=${POSTGRES_PASSWORD}",
    "      POSTGRES_PASSWORD_FILE: /run/secrets/db_password",
    "      POSTGRES_USER: temporal",
    "    image: postgres:17.6",
    "secrets:",
    "      DATABASE_URL: postgresql://app:${PW}@postgres:5432/app",
    "      REQUIRE_TOKEN: true",
    "secrets:\n  db_password:\n    file: ./db_password.txt",
    "      PASSWORD_HASHING:\n      - one\n      NEXT: shown",
    "    environment:\n      - POSTGRES_USER=temporal\n    image: author/auth-server",
    '      test: ["CMD-SHELL", "pg_isready -h 127.0.0.1 -U temporal"]',
]


@pytest.mark.parametrize("text", HIDDEN)
def test_a_secret_is_hidden(text: str) -> None:
    masked = mask_text(text)
    assert CANARY not in masked
    assert MASK in masked


@pytest.mark.parametrize("text", SHOWN)
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize("text", HIDDEN + SHOWN)
def test_masking_twice_is_masking_once(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)


def test_the_rest_of_the_line_stays() -> None:
    assert mask_text("    environment: {PGPASSWORD: x1, PGUSER: app}  # db") == (
        f"    environment: {{PGPASSWORD: {MASK}, PGUSER: app}}  # db"
    )


def test_lines_after_a_block_are_shown() -> None:
    text = "a:\n  password: |\n    hidden\n  image: redis"
    assert mask_text(text) == f"a:\n  password: |\n    {MASK}\n  image: redis"

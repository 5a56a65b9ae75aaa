# SPDX-License-Identifier: GPL-3.0-or-later
"""Formats of a drift report: one module each, with one function ``render(report) -> str``."""

from __future__ import annotations

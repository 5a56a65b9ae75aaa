# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m breakwater``."""

from __future__ import annotations

from breakwater.cli import main

if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-3.0-or-later
"""JUnit XML: a suite per host, a case per control in sync and per thing that is not."""

from __future__ import annotations

from xml.sax.saxutils import escape

from breakwater.drift.formats.text import WORDS, details, place
from breakwater.drift.model import DIFFERENT, INCOMPLETE, DriftReport, Entry, Host
from breakwater.render.junit import attribute, clean


def render(report: DriftReport) -> str:
    """Write the report as JUnit XML: drift is a failure, what could not be checked an error."""
    suites = [_suite(host, [entry for entry in report.entries if entry.host == host.name]) for host in report.hosts]
    suites += [_problem(problem) for problem in report.problems]
    tests = sum(suite.count("<testcase") for suite in suites)
    failures = len(report.of(*DIFFERENT))
    errors = len(report.of(*INCOMPLETE)) + len(report.problems)
    head = f'<testsuites name="breakwater drift" tests="{tests}" failures="{failures}" errors="{errors}">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *suites, "</testsuites>"]) + "\n"


def _suite(host: Host, entries: list[Entry]) -> str:
    name = attribute(host.name)
    cases = [f"    <testcase classname={name} name={attribute(control)}/>" for control in host.in_sync]
    cases += [_case(entry) for entry in entries]
    counts = [
        f'tests="{len(cases)}"',
        f'failures="{sum(entry.state in DIFFERENT for entry in entries)}"',
        f'errors="{sum(entry.state in INCOMPLETE for entry in entries)}"',
        f'skipped="{sum(entry.state not in DIFFERENT | INCOMPLETE for entry in entries)}"',
    ]
    return "\n".join([f"  <testsuite name={name} {' '.join(counts)}>", *cases, "  </testsuite>"])


def _case(entry: Entry) -> str:
    """Write the case of one entry."""
    head = f"    <testcase classname={attribute(entry.host)} name={attribute(f'{place(entry)}: {entry.message}')}>"
    text = "\n".join([entry.message, *(f"{label}: {words}" for label, words in details(entry))])
    kind = attribute(WORDS[entry.state].lower())
    if entry.state in DIFFERENT | INCOMPLETE:
        tag = "failure" if entry.state in DIFFERENT else "error"
        body = f"<{tag} type={kind} message={attribute(entry.message)}>{escape(clean(text))}</{tag}>"
    else:
        body = f"<skipped message={attribute(f'{WORDS[entry.state]}: {text}')}/>"
    return f"{head}\n      {body}\n    </testcase>"


def _problem(problem: str) -> str:
    return (
        '  <testsuite name="the check" tests="1" failures="0" errors="1" skipped="0">\n'
        '    <testcase classname="the check" name="not fully checked">\n'
        f'      <error type="not fully checked" message={attribute(problem)}/>\n'
        "    </testcase>\n  </testsuite>"
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""JUnit XML: a suite per file, a case per finding, so that test reports of CI systems show them."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from breakwater.render.text import details

TYPE_CHECKING = False
if TYPE_CHECKING:
    from breakwater.report import Item, Problem, Report


def render(report: Report) -> str:
    """Write the report as JUnit XML. A file without findings has one case that passes."""
    suites = [_suite(name, [item for item in report.items if item.file == name]) for name in _files(report)]
    suites.extend(_error(problem) for problem in report.problems)
    failures, errors = len(report.open_items()), len(report.problems)
    tests = sum(text.count("<testcase") for text in suites)
    head = f'<testsuites name="breakwater" tests="{tests}" failures="{failures}" errors="{errors}">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *suites, "</testsuites>"]) + "\n"


def _files(report: Report) -> list[str]:
    """Every judged file once, files that only ``include`` or ``extends`` brought in after the others."""
    return list(dict.fromkeys([*report.files, *(item.file for item in report.items)]))


def _suite(name: str, items: list[Item]) -> str:
    cases = [_case(item) for item in items] or [f'    <testcase classname={attribute(name)} name="no findings"/>']
    failures = sum(1 for item in items if not item.finding.waived)
    skipped = len(items) - failures
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="{skipped}"'
    head = f"  <testsuite name={attribute(name)} {counts}>"
    return "\n".join([head, *cases, "  </testsuite>"])


def _case(item: Item) -> str:
    finding = item.finding
    name = " ".join(part for part in (finding.control, finding.service, finding.message) if part)
    line = f' line="{finding.line}"' if finding.line is not None else ""
    head = f"    <testcase classname={attribute(item.file)} name={attribute(name)} file={attribute(item.file)}{line}>"
    text = "\n".join(f"{label}: {value}" for label, value in details(item))
    if finding.waived:
        return f"{head}\n      <skipped message={attribute(text)}/>\n    </testcase>"
    attributes = f"type={attribute(finding.severity)} message={attribute(finding.message)}"
    failure = f"<failure {attributes}>{escape(clean(text))}</failure>"
    return f"{head}\n      {failure}\n    </testcase>"


def _error(problem: Problem) -> str:
    name = attribute(problem.file)
    return (
        f'  <testsuite name={name} tests="1" failures="0" errors="1" skipped="0">\n'
        f'    <testcase classname={name} name="not judged">\n'
        f'      <error type="not judged" message={attribute(str(problem))}/>\n'
        "    </testcase>\n  </testsuite>"
    )


def attribute(text: str) -> str:
    """Quote a text as the value of an attribute."""
    return quoteattr(clean(text), {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})


def clean(text: str) -> str:
    """Replace what XML 1.0 cannot hold: control characters and halves of surrogate pairs."""
    return "".join(
        character if (character >= " " and not "\ud800" <= character <= "\udfff") or character in "\t\n\r" else "?"
        for character in text
    )

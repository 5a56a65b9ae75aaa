# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from xml.etree import ElementTree

from breakwater.render.junit import render
from breakwater.report import Problem, Report


def test_counts_agree_with_the_cases(report: Report) -> None:
    root = ElementTree.fromstring(render(report))
    cases = root.findall("testsuite/testcase")
    assert root.get("tests") == str(len(cases)) == "6"
    assert root.get("failures") == str(len(root.findall("testsuite/testcase/failure"))) == "2"
    assert root.get("errors") == str(len(root.findall("testsuite/testcase/error"))) == "2"
    for suite in root.findall("testsuite"):
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        assert suite.get("skipped") == str(len(suite.findall("testcase/skipped")))


def test_a_file_without_findings_passes(report: Report) -> None:
    suite = ElementTree.fromstring(render(report)).find("testsuite[@name='clean.yml']")
    assert suite is not None
    assert suite.get("failures") == "0"
    assert len(suite.findall("testcase")) == 1


def test_control_characters_do_not_break_the_xml(report: Report) -> None:
    report.problems = [Problem("a\x00\ud800.yml", 1, 'quotes " and <tags>')]
    error = ElementTree.fromstring(render(report)).find("testsuite/testcase/error")
    assert error is not None
    assert error.get("message") == r'a\x00\ud800.yml:1: quotes " and <tags>'

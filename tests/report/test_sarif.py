"""SARIF 2.1.0: what dashboards need of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from allocsafe.packs import rules
from allocsafe.report import sarif

from tests.report import samples

BY_CODE = {rule.code: rule for rule in rules()}


def run_of(*sites: Any, **more: Any) -> dict[str, Any]:
    document = json.loads(sarif.render(samples.report(*sites, **more), BY_CODE))
    assert document["version"] == "2.1.0"
    run: dict[str, Any] = document["runs"][0]
    return run


def test_a_result_a_finding_with_its_rule_and_its_story() -> None:
    run = run_of(samples.unsafe(), samples.unknown(), samples.safe())
    codes = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert codes == ["AS102", "AS105", "AS190"]
    assert [result["ruleId"] for result in run["results"]] == codes
    assert all(codes[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 4, "startColumn": 5, "endLine": 4, "endColumn": 15}
    steps = run["results"][0]["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["message"]["text"].split()[0] for step in steps] == ["allocated", "written", "read"]
    assert run["results"][2]["level"] == "warning"
    assert run["tool"]["driver"]["rules"][0]["help"]["text"]


def test_a_fingerprint_survives_a_moved_line_and_tells_twins_apart() -> None:
    first = run_of(samples.unsafe(line=4))["results"][0]["partialFingerprints"]
    moved = run_of(samples.unsafe(line=40))["results"][0]["partialFingerprints"]
    twins = [
        result["partialFingerprints"]["allocsafe/1"]
        for result in run_of(samples.unsafe(), samples.unsafe(line=9))["results"]
    ]
    assert first == moved
    assert len(set(twins)) == 4


def test_an_ignored_finding_is_a_suppressed_result() -> None:
    result = run_of(samples.unsafe(suppressed="filled below"))["results"][0]
    assert result["suppressions"] == [{"kind": "inSource", "justification": "filled below"}]


def test_paths_are_uri_references_and_errors_are_notifications() -> None:
    site = samples.unsafe()
    odd = replace(site.judged.site, span=samples.span("a b/ü:%.py", 1))
    where = site._replace(findings=tuple(replace(each, span=odd.span) for each in site.findings))
    run = run_of(where, errors=(("x.py", "bad"),))
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "a%20b/%C3%BC%3A%25.py"
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "x.py: bad"

"""JSON keeps its schema, key by key: others' scripts read it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, get_args, get_type_hints

import jsonschema
import pytest
from allocsafe import api, verdict
from allocsafe.api import Finding
from allocsafe.report import as_json

from tests.report import samples

SCHEMA: dict[str, Any] = json.loads(Path(__file__).with_name("schema.json").read_text())
NOTE = Finding("suppression", "note", "ignore[AS101] is unused", samples.span("a.py", 3))
FULL = samples.report(
    samples.unsafe(),
    samples.unknown(),
    samples.safe(changed=True),
    samples.unsafe(suppressed="fine here"),
    errors=(("b.py", "syntax error"),),
    notes=(NOTE,),
)


def test_every_record_fits_the_schema() -> None:
    document = json.loads(as_json.render(FULL))
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert [site["verdict"] for site in document["sites"]] == ["unsafe", "unknown", "safe", "unsafe"]
    assert document["summary"] == {"safe": 1, "unsafe": 2, "unknown": 1, "seconds": 0.123}


def test_values_are_where_the_schema_says() -> None:
    site = as_json.as_dict(FULL)["sites"][0]
    assert (site["path"], site["line"], site["column"], site["symbol"]) == ("pkg/offsets.py", 4, 5, "ends")
    assert site["before"] == {"path": "pkg/offsets.py", "line": 4, "text": "torch.zeros(n + 1)"}
    assert (site["unwritten"], site["condition"], site["consequence"]) == ("[0]", None, "index")
    assert [finding["rule"] for finding in site["findings"]] == ["AS102", "AS105"]
    assert site["trace"][2] == {
        "path": "pkg/model.py", "line": 9, "event": "read", "region": "[0:n + 1]", "note": "index"
    }  # fmt: skip


def test_an_ignored_site_keeps_its_verdict_and_loses_its_findings() -> None:
    site = as_json.as_dict(FULL)["sites"][3]
    assert site["verdict"] == "unsafe"
    assert site["findings"] == []


def test_notes_about_suppressions_stand_among_the_errors() -> None:
    errors = as_json.as_dict(FULL)["errors"]
    assert errors[1] == {"path": "a.py", "message": "line 3: ignore[AS101] is unused"}


@pytest.mark.parametrize("key", ["verdict", "trace", "condition"])
def test_the_schema_refuses_a_site_without(key: str) -> None:
    document = copy.deepcopy(json.loads(as_json.render(FULL)))
    del document["sites"][0][key]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_the_schema_lists_every_word_of_the_records() -> None:
    site = SCHEMA["$defs"]["site"]["properties"]
    assert site["consequence"]["enum"] == [*get_args(verdict.Consequence), None]
    assert SCHEMA["$defs"]["event"]["properties"]["event"]["enum"] == list(get_args(verdict.EventKind))
    assert SCHEMA["$defs"]["finding"]["properties"]["severity"]["enum"] == list(get_args(api.Severity))
    hints = get_type_hints(api.Site)
    assert site["kind"]["enum"] == list(get_args(hints["kind"]))
    assert site["language"]["enum"] == list(get_args(hints["language"]))

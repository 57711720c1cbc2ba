"""AS203: a container is used as if it were the array that it replaced.

Claims: `sizeof` of the container, `reserve` followed by element access, or an address kept across growth. Suffices: the
container's own contract; no value is needed. Gives up: containers whose type is not visible.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import part, say, unsafe_cpp


def finds(judged: Judged) -> Iterator[Finding]:
    verdict = unsafe_cpp(judged)
    if verdict is not None and "container" in verdict.facets:
        message = (
            f"{judged.site.symbol} is a container used as an array: {part(verdict)} is not what the code takes it for"
        )
        yield say("AS203", "error", judged, message)


BEFORE = """\
#include <cstring>
#include <vector>

void send(long* out, const long* values, int n) {
  long table[n];
  for (int i = 0; i < n; i++) {
    table[i] = values[i];
  }
  memcpy(out, table, n * sizeof(long));
}
"""
BAD = """\
#include <cstring>
#include <vector>

void send(long* out, const long* values, int n) {
  std::vector<long> table;  // want AS203
  table.reserve(n);
  for (int i = 0; i < n; i++) {
    table[i] = values[i];
  }
  memcpy(out, table.data(), n * sizeof(long));
}
"""
OK = """\
#include <cstring>
#include <vector>

void send(long* out, const long* values, int n) {
  std::vector<long> table;
  table.resize(n);
  for (int i = 0; i < n; i++) {
    table[i] = values[i];
  }
  memcpy(out, table.data(), n * sizeof(long));
}
"""

RULE = Rule(
    code="AS203",
    name="container-misuse",
    title="C++: `sizeof` of a container, `reserve` then `[]`, an address kept across growth",
    why="""`sizeof(v)` is the size of the handle, not of the elements; `reserve` makes room and no elements; growth
    moves the elements away from every pointer to them. All three compile.""",
    fix="""Use `v.size() * sizeof(T)`, `resize` instead of `reserve`, and take `data()` after the last growth.""",
    severity="error",
    finds=finds,
    ok=(Case("resize makes the elements", BEFORE, OK, "case.cpp"),),
    bad=(Case("reserve makes none", BEFORE, BAD, "case.cpp"),),
)

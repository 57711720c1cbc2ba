"""AS202: a fill covers less than what is read.

Claims: the loop, `memcpy`, `memset` or kernel that fills the buffer stops short of the read. Suffices: both regions are
known and their difference is not empty. Gives up: fills whose length is a run-time value unrelated to the read's.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import part, say, unsafe_cpp


def finds(judged: Judged) -> Iterator[Finding]:
    verdict = unsafe_cpp(judged)
    if verdict is not None and "partial-fill" in verdict.facets:
        yield say(
            "AS202", "error", judged, f"the fill of {judged.site.symbol} leaves {part(verdict)} out, and it is read"
        )


BEFORE = """\
#include <vector>

long total(const long* values, int n) {
  std::vector<long> table(n, 0);
  for (int i = 0; i < n - 1; i++) {
    table[i] = values[i];
  }
  long sum = 0;
  for (int i = 0; i < n; i++) {
    sum += table[i];
  }
  return sum;
}
"""
BAD = """\
#include <vector>

long total(const long* values, int n) {
  long* table = new long[n];  // want AS202
  for (int i = 0; i < n - 1; i++) {
    table[i] = values[i];
  }
  long sum = 0;
  for (int i = 0; i < n; i++) {
    sum += table[i];
  }
  return sum;
}
"""
OK = """\
#include <vector>

long total(const long* values, int n) {
  long* table = new long[n];
  for (int i = 0; i < n; i++) {
    table[i] = values[i];
  }
  long sum = 0;
  for (int i = 0; i < n; i++) {
    sum += table[i];
  }
  return sum;
}
"""

RULE = Rule(
    code="AS202",
    name="partial-fill",
    title="C++: a loop, memcpy, memset or kernel covers less than what is read",
    why="""A loop that ends one short, or a `memcpy` whose length counts elements where it takes bytes, fills a part and
    looks like a whole fill.""",
    fix="""Make the fill's bound the read's bound, and multiply element counts by `sizeof(T)` where bytes are taken.""",
    severity="error",
    finds=finds,
    ok=(Case("the fill loop has the read's bound", BEFORE, OK, "case.cpp"),),
    bad=(Case("the fill loop ends one short", BEFORE, BAD, "case.cpp"),),
)

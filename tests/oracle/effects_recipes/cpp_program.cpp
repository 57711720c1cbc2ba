// Calls each function of cpp.txt that needs no GPU, on memory that holds 0xEE where nothing was written, and prints what it
// saw: `name | what`. The test holds the lines of the table against it.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <numeric>
#include <string>
#include <utility>
#include <vector>
#include <alloca.h>
#include <malloc.h>

static const int MARK = 0xEE;
using V = std::vector<int>;

static V former(int which) { V v(6); for (int i = 0; i < 6; ++i) v[i] = which ? 90 - i : 30 + i; return v; }

// Which elements keep the former content in both runs (k), are the same after both (w), else depend on it (m).
template <class F> std::string letters(F f) {
    V a = former(0), b = former(1);
    f(a.data()); f(b.data());
    std::string out;
    V p = former(0), q = former(1);
    for (int i = 0; i < 6; ++i) out += (a[i] == p[i] && b[i] == q[i]) ? 'k' : a[i] == b[i] ? 'w' : 'm';
    return out;
}
static void say(const char* name, const std::string& what) { std::printf("%s | %s\n", name, what.c_str()); }
template <class T> void say_read(const char* name, T one, T other) { say(name, one == other ? "same" : "read"); }
static std::string bytes(const void* p, size_t n, int mark) {
    const unsigned char* c = static_cast<const unsigned char*>(p);
    size_t hit = 0;
    for (size_t i = 0; i < n; ++i) hit += c[i] == mark;
    return hit == n ? "all" : hit ? "some" : "none";
}
static void keep(void* p) { asm volatile("" : : "g"(p) : "memory"); }

int main() {
    mallopt(M_PERTURB, 0xFF & ~MARK);
    const V src = {1, 2, 3, 4, 5, 6};
    { void* p = malloc(600); keep(p); say("malloc", "unwritten " + bytes(p, 600, MARK)); free(p); say("free", "none"); }
    { void* p = std::malloc(600); keep(p); say("std::malloc", "unwritten " + bytes(p, 600, MARK)); std::free(p); say("std::free", "none"); }
    { void* p = calloc(60, 10); keep(p); say("calloc", "zero " + bytes(p, 600, 0)); free(p); }
    { void* p = std::calloc(60, 10); keep(p); say("std::calloc", "zero " + bytes(p, 600, 0)); free(p); }
    { void* p = aligned_alloc(64, 640); keep(p); say("aligned_alloc", "unwritten " + bytes(p, 640, MARK)); free(p); }
    { void* p = std::aligned_alloc(64, 640); keep(p); say("std::aligned_alloc", "unwritten " + bytes(p, 640, MARK)); free(p); }
    { volatile unsigned char* p = static_cast<volatile unsigned char*>(alloca(64)); p[0] = 1; say("alloca", p[0] == 1 ? "memory" : "?"); }
    for (const char* name : {"realloc", "std::realloc"}) {
        char* p = static_cast<char*>(malloc(600)); std::memset(p, 7, 600);
        p = static_cast<char*>(name[0] == 's' ? std::realloc(p, 3000) : realloc(p, 3000));
        say(name, "kept " + bytes(p, 600, 7) + " unwritten " + bytes(p + 600, 2400, MARK)); free(p);
    }
    say("memset", letters([](int* p) { if (memset(p, 5, 12) != p) abort(); }));
    say("std::memset", letters([](int* p) { if (std::memset(p, 5, 12) != p) abort(); }));
    say("memcpy", letters([&](int* p) { if (memcpy(p, src.data(), 12) != p) abort(); }));
    say("std::memcpy", letters([&](int* p) { if (std::memcpy(p, src.data(), 12) != p) abort(); }));
    say("memmove", letters([&](int* p) { if (memmove(p, src.data(), 12) != p) abort(); }));
    say("std::memmove", letters([&](int* p) { if (std::memmove(p, src.data(), 12) != p) abort(); }));
    V other = src; other[2] = 9; V far = src; far[5] = 9;
    say("memcmp", memcmp(src.data(), other.data(), 12) != 0 && memcmp(src.data(), far.data(), 12) == 0 ? "count" : "?");
    say("std::memcmp", std::memcmp(src.data(), other.data(), 12) != 0 && std::memcmp(src.data(), far.data(), 12) == 0 ? "count" : "?");
    { char text[24]; std::memset(text, 1, 24); snprintf(text, 24, "%d", 42); say("snprintf", std::string(text) == "42" && text[10] == 1 ? "part" : "?"); }
    { FILE* f = std::tmpfile(); if (!f) abort(); fprintf(f, "%d", 42); rewind(f); char c[9]; std::memset(c, 1, 9);
      size_t n = fread(c, 1, 9, f); say("fprintf", c[0] == '4' ? "read" : "same"); say("fread", n == 2 && c[5] == 1 ? "part" : "?");
      rewind(f); say("fwrite", fwrite(src.data(), 4, 6, f) == 6 ? "read" : "same"); fclose(f); }
    say("printf", printf("%s", "") == 0 ? "read" : "same");
    say("std::fill", letters([](int* p) { std::fill(p, p + 3, 5); }));
    say("std::fill_n", letters([](int* p) { std::fill_n(p, 3, 5); }));
    say("std::iota", letters([](int* p) { std::iota(p, p + 3, 5); }));
    say("std::generate", letters([](int* p) { std::generate(p, p + 3, [] { return 5; }); }));
    say("std::generate_n", letters([](int* p) { std::generate_n(p, 3, [] { return 5; }); }));
    say("std::copy", letters([&](int* p) { std::copy(src.begin(), src.begin() + 3, p); }));
    say("std::copy_n", letters([&](int* p) { std::copy_n(src.begin(), 3, p); }));
    say("std::uninitialized_fill", letters([](int* p) { std::uninitialized_fill(p, p + 3, 5); }));
    say("std::uninitialized_fill_n", letters([](int* p) { std::uninitialized_fill_n(p, 3, 5); }));
    say("std::uninitialized_copy", letters([&](int* p) { std::uninitialized_copy(src.begin(), src.begin() + 3, p); }));
    say("std::partial_sum", letters([&](int* p) { std::partial_sum(src.begin(), src.begin() + 3, p); }));
    say("std::inclusive_scan", letters([&](int* p) { std::inclusive_scan(src.begin(), src.begin() + 3, p); }));
    say("std::exclusive_scan", letters([&](int* p) { std::exclusive_scan(src.begin(), src.begin() + 3, p, 0); }));
    say("std::sort", letters([](int* p) { std::sort(p, p + 4, std::greater<int>()); }));
    say("std::stable_sort", letters([](int* p) { std::stable_sort(p, p + 4, std::greater<int>()); }));
    say("std::reverse", letters([](int* p) { std::reverse(p, p + 4); }));
    say("std::swap", letters([](int* p) { std::swap(p[0], p[1]); }));
    auto whole = [](const V& v) { return std::make_pair(v.begin(), v.end()); };
    auto read = [&](const char* name, auto f) { auto a = whole(src), b = whole(other); say_read(name, f(a.first, a.second), f(b.first, b.second)); };
    read("std::accumulate", [](auto a, auto b) { return std::accumulate(a, b, 0); });
    read("std::reduce", [](auto a, auto b) { return std::reduce(a, b, 0); });
    read("std::equal", [&](auto a, auto b) { return std::equal(a, b, src.begin()); });
    read("std::max_element", [](auto a, auto b) { return std::distance(a, std::max_element(a, b)); });
    read("std::min_element", [](auto a, auto b) { return std::distance(a, std::min_element(a, b, std::greater<int>())); });
    read("std::find", [](auto a, auto b) { return std::distance(a, std::find(a, b, 9)); });
    read("std::count", [](auto a, auto b) { return std::count(a, b, 9); });
    say("std::max", std::max(1, 2) == 2 ? "read" : "same");
    say("std::min", std::min(1, 2) == 1 ? "read" : "same");
    V v = src;
    const int* at = v.data();
    say("std::move", std::move(v).data() == at ? "view" : "?");
    say("std::forward", std::forward<V&>(v).data() == at ? "view" : "?");
    say("std::data", std::data(v) == at ? "view" : "?");
    say("std::begin", &*std::begin(v) == at ? "view" : "?");
    say("std::end", &*(std::end(v) - 6) == at ? "view" : "?");
    say("std::addressof", std::addressof(v) == &v ? "view" : "?");
    say("std::size", std::size(v) == 6 ? "meta" : "?");
    { auto p = std::make_unique<int[]>(300); say("std::make_unique", "zero " + bytes(p.get(), 1200, 0)); }
#if __cplusplus >= 202002L
    { auto p = std::make_unique_for_overwrite<int[]>(300); say("std::make_unique_for_overwrite", "unwritten " + bytes(p.get(), 1200, MARK)); }
    { auto p = std::make_shared<int[]>(300); say("std::make_shared", "zero " + bytes(p.get(), 1200, 0)); }
#endif
    say("std::vector::size", v.size() == 6 ? "meta" : "?");
    say("std::vector::empty", !v.empty() ? "meta" : "?");
    say("std::vector::capacity", v.capacity() >= 6 ? "meta" : "?");
    say("std::vector::data", v.data() == at ? "view" : "?");
    say("std::vector::begin", &*v.begin() == at ? "view" : "?");
    say("std::vector::end", &*(v.end() - 6) == at ? "view" : "?");
    say("std::vector::front", &v.front() == at ? "view" : "?");
    say("std::vector::back", &v.back() == at + 5 ? "view" : "?");
    say("std::vector::at", &v.at(2) == at + 2 ? "view" : "?");
    { V w; w.reserve(300); say("std::vector::reserve", w.empty() ? "unwritten " + bytes(w.data(), 1200, MARK) : "?"); }
    { V w = {1}; w.resize(300); say("std::vector::resize", w[0] == 1 ? "zero " + bytes(w.data() + 1, 1196, 0) : "?"); }
    { V w = {1}; w.resize(3, 8); w.assign(4, 9); say("std::vector::assign", w == V(4, 9) ? "written" : "?"); }
    { V w = {1}; w.push_back(8); say("std::vector::push_back", w == V({1, 8}) ? "appended" : "?"); }
    { V w = {1}; w.emplace_back(8); say("std::vector::emplace_back", w == V({1, 8}) ? "appended" : "?"); }
    { V w = {1}; w.clear(); say("std::vector::clear", w.empty() ? "cleared" : "?"); }
    std::array<int, 3> arr;
    arr.fill(5);
    say("std::array::fill", arr[0] == 5 && arr[2] == 5 ? "written" : "?");
    say("std::array::size", arr.size() == 3 ? "meta" : "?");
    say("std::array::data", arr.data() == &arr[0] ? "view" : "?");
    say("std::array::begin", &*arr.begin() == &arr[0] ? "view" : "?");
    say("std::array::end", &*(arr.end() - 3) == &arr[0] ? "view" : "?");
    return 0;
}

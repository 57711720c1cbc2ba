// Branches, loops and what may not be followed.
namespace app {

int pick(int kind, float* out, int n) {
  int result;
  switch (kind) {
    case 0:
    case 1:
      result = 1;
      break;
    default:
      return -1;
  }
  for (int i = n - 1; i >= 0; i -= 2) out[i] = 0.0f;
  for (int i = 0; i < n; i++) {
    if (out[i] > 0 && result) continue;
    n--;
  }
  do {
    result += n++;
  } while (result < 10);
  try {
    run(out);
  } catch (const std::runtime_error& error) {
    throw;
  }
#ifdef FAST
  result = n / 2;
#else
  result = n % 2;
#endif
  return result ? result : n;
}

}  // namespace app

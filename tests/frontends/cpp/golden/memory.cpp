// Memory that syntax makes.
struct Pool {
  Pool(int n) : size_(n), rows_(n, 1.0f) {}
  float at(int i) const { return rows_[i]; }
  int size_;
  std::vector<float> rows_;
};

void memory(int n, double (&known)[4]) {
  float fixed[16], zeros[4] = {}, some[] = {1, 2, 3};
  constexpr int kRows = 4;
  int grid[kRows][8];
  int64_t variable[n];
  auto* raw = new int[n];
  auto* clean = new int[n]();
  std::unique_ptr<float[]> owned(new float[n]);
  auto made = std::make_unique<float[]>(n);
  std::vector<int> filled(n, 7), listed{1, 2}, empty;
  std::array<int, 3> triple;
  int* block = static_cast<int*>(malloc(n * sizeof(int)));
  memset(variable, 0, sizeof(variable));
  float& first = fixed[0];
  first = 1;
  int* where = &grid[1][2];
  *where += 2;
  delete[] raw;
}

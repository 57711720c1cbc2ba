// Hands the tables of pointers to a transfer library.
#include <cstdint>
#include <cstring>
#include <vector>

#include <torch/all.h>

namespace cache {

// Hands the tables to a transfer library that keeps its own copy in a mapped buffer.
void export_tables(std::vector<torch::Tensor>& key_caches, std::vector<torch::Tensor>& value_caches, char* mapped) {
  const int num_layers = key_caches.size();

  int64_t key_ptrs[num_layers];
  int64_t value_ptrs[num_layers];

  for (int layer = 0; layer < num_layers; ++layer) {
    key_ptrs[layer] = reinterpret_cast<int64_t>(key_caches[layer].data_ptr());
    value_ptrs[layer] = reinterpret_cast<int64_t>(value_caches[layer].data_ptr());
  }

  std::memcpy(mapped, key_ptrs, sizeof(key_ptrs));
  std::memcpy(mapped + sizeof(key_ptrs), value_ptrs, sizeof(value_ptrs));
}

}  // namespace cache
